# Certificates made while a test runs, and a TLS server in memory; other rooms' tests may use them.
add_library(testcert STATIC ${CMAKE_CURRENT_LIST_DIR}/testcert.c ${CMAKE_CURRENT_LIST_DIR}/testtls.c)
target_include_directories(testcert PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(testcert PUBLIC net PRIVATE house)

unit(address net)
unit(net net)
unit(sysfiles net)
unit(net_system net)
unit(tls testcert)
unit(tls_certificate testcert)
unit(tls_status testcert)
unit(tls_broken testcert)
unit(tls_socket testcert)
