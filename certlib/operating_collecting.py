"""What the commands of collecting do. As `operating`: each opens the library, calls one use case, and reports."""
