# A run of the checks over the practice network, and what they told.
add_library(checks_world STATIC ${CMAKE_CURRENT_LIST_DIR}/checks_world.c)
target_include_directories(checks_world PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(checks_world PUBLIC checks practice PRIVATE house PkgConfig::CMOCKA)

engine_test(checks_dns checks_world)
engine_test(checks_path checks_world)
engine_test(checks_tls checks_world)
engine_test(checks_relay checks_world)
engine_test(checks_auth checks_world)
engine_test(checks_send checks_world)
engine_test(checks_message checks_world)
engine_test(checks_control checks_world)
engine_test(checks_cut checks_world)
