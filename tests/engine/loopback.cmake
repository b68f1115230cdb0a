# A scripted SMTP server on real sockets, and the engine against it.
add_library(fake_smtp STATIC ${CMAKE_CURRENT_LIST_DIR}/fake_smtp.c)
target_include_directories(fake_smtp PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(fake_smtp PUBLIC testcert Threads::Threads PRIVATE house)

add_library(loopback_bench STATIC ${CMAKE_CURRENT_LIST_DIR}/loopback_bench.c)
target_link_libraries(loopback_bench PUBLIC runner fake_smtp PRIVATE house)

engine_test(loopback loopback_bench)
engine_test(loopback_session loopback_bench)
engine_test(loopback_hand loopback_bench)
