"""The proof, rule by rule."""
