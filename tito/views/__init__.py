"""Records made into what rich draws: nothing here prints."""
