/*
 * guide_checks: what is demanded of every text of the guide, for the tests of findings and of causes.
 *
 * Threads: tests are single-threaded. Ownership: guide_free.
 */
#ifndef SMTPSCOPE_TEST_GUIDE_CHECKS_H
#define SMTPSCOPE_TEST_GUIDE_CHECKS_H

#include <stdio.h>
#include <string.h>

#include "guide.h"

static inline struct guide *load_english(void)
{
    struct guide *g = NULL;
    struct error error = {0};
    if (guide_load(&g, NULL, "en", &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    return g;
}

static inline void check_ascii(const char *id, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < 0x20 || *p > 0x7e) {
            fail_msg("%s: the English guide is plain ASCII", id);
        }
    }
}

/* "RFC 5321, section 5.1" and the link name the same place. */
static inline void check_link(const char *id, const char *reference, const char *link)
{
    char expected[128] = "";
    unsigned rfc;
    char section[32];
    int n = sscanf(reference, "RFC %u, section %31s", &rfc, section);
    if (n == 2) {
        snprintf(expected, sizeof(expected), "https://www.rfc-editor.org/rfc/rfc%u#section-%s", rfc,
                 section);
    } else if (n == 1) {
        snprintf(expected, sizeof(expected), "https://www.rfc-editor.org/rfc/rfc%u", rfc);
    }
    if (strcmp(link != NULL ? link : "", expected) != 0) {
        fail_msg("%s: link is %s, reference is %s", id, link, reference);
    }
}

#endif
