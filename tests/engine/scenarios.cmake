engine_test(scenarios practice run)
