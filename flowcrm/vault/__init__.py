"""The only code that holds keys: it seals, opens, and turns words and addresses into keyed hashes. It knows bytes, not mail."""
