"""Themes: the taxonomy, the classifier that tags paragraphs with it, its training and its evaluation."""
