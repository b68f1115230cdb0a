unit(reply smtp)
unit(caps smtp)
unit(compose smtp)
unit(sasl smtp)
