"""What the application does: data through the cache, Canvas, the LLM, warming."""
