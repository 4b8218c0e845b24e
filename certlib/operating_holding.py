"""What the commands of holding do. As `operating`: each opens the library, calls one use case, and reports."""
