"""The publisher's site: its pages read, its documents fetched, politely and without losing what is held."""
