"""What the commands of clients do. As `operating`: each opens the library, calls one use case, and reports."""
