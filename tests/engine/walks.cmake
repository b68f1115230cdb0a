engine_test(walks runner options model)
