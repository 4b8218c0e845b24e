"""What a holder objects to or reports as wrong: tickets to the agency, with deadlines in working days."""
