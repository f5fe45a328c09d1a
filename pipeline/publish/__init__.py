"""Publications: what people and other programs see of the tables."""
