"""Labelling by people: batches out as workbooks and for labelling tools, labels back in, agreement, settlement."""
