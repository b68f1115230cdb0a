/*
 * canary: a password that must never come out, in every form in which it could.
 *
 * Threads: the test's. Ownership: none.
 */
#ifndef SMTPSCOPE_TEST_CANARY_H
#define SMTPSCOPE_TEST_CANARY_H

#include "runner.h"

#define CANARY_USER "anna@example.org"
#define CANARY "Kanarienvogel-8431/x"
#define CANARY_FORM_MAX 1024
#define CANARY_FORMS_MAX 24

struct canary_form {
    char text[CANARY_FORM_MAX];
    size_t len;
};

/* The canary as it may travel or be written down. */
struct canary_forms {
    struct canary_form list[CANARY_FORMS_MAX];
    size_t count;
};

void canary_add(struct canary_forms *f, const char *p, size_t len);
/* Its base64, without the characters at both ends that neighbours mix in. */
void canary_add_base64(struct canary_forms *f, const char *p, size_t len, size_t from, size_t tail);
void canary_add_written_out(struct canary_forms *f);
void canary_assert_clean(const char *what, const char *p, size_t len);
/* Every event, every report that can be made of the run, and what --tee would have written. */
void canary_assert_none(const struct runner *r);

#endif
