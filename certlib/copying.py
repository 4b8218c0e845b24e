"""Purpose-bound copies (加注件): a sealed PDF for one asker and one purpose, with its own code, until a date."""
