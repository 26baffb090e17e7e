"""Who the application asks over HTTP. They know no cache."""
