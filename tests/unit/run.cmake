unit(lines run)
unit(event run)
unit(record run)
unit(engine_net run)
