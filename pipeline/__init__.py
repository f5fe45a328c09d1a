"""Theme frequencies by rating band from Ofsted's published reports on children's services."""

__version__ = "0.1.0"
