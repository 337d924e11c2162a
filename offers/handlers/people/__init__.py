"""Who somebody is, and what he agreed to. Layer: flow."""
