"""What takes longer than a test may: `make soak`, on a whole running stack."""
