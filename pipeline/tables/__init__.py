"""Tables: how often each theme stands in the reports of each rating band, and how sure that is."""
