"""What the commands of tickets do. As `operating`: each opens the library, calls one use case, and reports."""
