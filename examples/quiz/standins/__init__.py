"""Canvas and a language model, as far as the application sees them: small HTTP services of this host."""
