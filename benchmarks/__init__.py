"""What the business code costs: the same ladder as a bare Temporal workflow and as ours, in one run (`./dev bench`)."""
