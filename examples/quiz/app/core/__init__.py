"""What every layer stands on: settings, the database, and what is named in the cache."""
