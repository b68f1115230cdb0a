add_library(practice_bench STATIC ${CMAKE_CURRENT_SOURCE_DIR}/practice_bench.c)
target_include_directories(practice_bench PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(practice_bench PUBLIC practice PRIVATE house PkgConfig::CMOCKA)

engine_test(practice practice_bench)
engine_test(practice_dns practice_bench dns)
engine_test(practice_smtp practice_bench smtp)
engine_test(practice_tls practice_bench)

# The same on real sockets, for other programs.
add_library(serve_bench STATIC ${CMAKE_CURRENT_SOURCE_DIR}/serve_bench.c)
target_include_directories(serve_bench PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(serve_bench PUBLIC practice PRIVATE house PkgConfig::CMOCKA)

engine_test(practice_serve serve_bench)
