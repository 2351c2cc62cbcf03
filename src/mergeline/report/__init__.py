"""From a plan to what people read. Data in, text out: nothing is computed here."""
