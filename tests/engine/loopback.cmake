# A scripted SMTP server on real sockets.
add_library(fake_smtp STATIC ${CMAKE_CURRENT_LIST_DIR}/fake_smtp.c)
target_include_directories(fake_smtp PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(fake_smtp PUBLIC testcert Threads::Threads PRIVATE house)

engine_test(loopback runner fake_smtp)
