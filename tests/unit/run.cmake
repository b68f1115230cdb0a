unit(lines run)
unit(event run)
unit(record run)
