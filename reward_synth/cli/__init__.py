"""The command line, one module per group of commands.  What a command needs it imports itself."""
