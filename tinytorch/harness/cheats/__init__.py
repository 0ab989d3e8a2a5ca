"""The exploit corpus: entries that cheat, what each level of trust says of them, and honest twins that must pass."""
