"""The screens: where is my parcel, and the desk of those who look after it."""
