"""What a coupon is worth at the till. Layer: rules."""
