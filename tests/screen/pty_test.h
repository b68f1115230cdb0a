/*
 * pty_test: cmocka with what it needs in the right order, and the paths that CMake gives.
 *
 * Threads, ownership: none.
 */
#ifndef SMTPSCOPE_PTY_TEST_H
#define SMTPSCOPE_PTY_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifndef SMTPSCOPE_PROGRAM
#error "CMake defines the program under test"
#endif

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_ENV NULL

#endif
