"""Who somebody is, what he agreed to, and what he says. Layer: edges."""
