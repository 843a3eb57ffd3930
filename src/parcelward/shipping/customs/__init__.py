"""What customs asks of a parcel that leaves: whether it is all there, its forms, its advance data, tariff codes."""
