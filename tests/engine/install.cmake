add_test(NAME install.tree COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/install.sh ${CMAKE_COMMAND}
    ${CMAKE_BINARY_DIR} ${PROJECT_SOURCE_DIR})
set_tests_properties(install.tree PROPERTIES LABELS engine TIMEOUT 120)
