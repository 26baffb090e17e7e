"""The statements that the application sends, one file a table."""
