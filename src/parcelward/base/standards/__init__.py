"""The trade's own words and numbers, parsed once: S10, GS1, IMpb, other carriers' formats, steps, EPCIS."""
