#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "typehint_verbs.h"

#define CAPABILITIES                                                                               \
    "SIZE 1000\n8BITMIME\nDSN\nAUTH PLAIN LOGIN \x1b[2J SCRAM-SHA-256\nSTARTTLS\nEVIL "            \
    "\x1b]52;c;x\x07"

static void add_line(struct record *r, enum smtp_dir dir, const char *text)
{
    struct line line = {.number = lines_last(r->lines) + 1,
                        .check = CHECK_NONE,
                        .dir = (uint8_t)dir,
                        .text = text,
                        .len = strlen(text)};
    assert_int_equal(lines_add(r->lines, &line), ST_OK);
}

static void add_flagged(struct record *r, unsigned flags, const char *text)
{
    struct line line = {.number = lines_last(r->lines) + 1,
                        .check = CHECK_NONE,
                        .dir = DIR_CLIENT,
                        .flags = (uint8_t)flags,
                        .text = text,
                        .len = strlen(text)};
    assert_int_equal(lines_add(r->lines, &line), ST_OK);
}

static void make(struct record *r, enum smtp_state session)
{
    assert_int_equal(record_init(r, 1), ST_OK);
    for (uint16_t i = 0; i < 2; i++) {
        r->paths[i] = calloc(1, sizeof(*r->paths[i]));
        assert_non_null(r->paths[i]);
        facts_init(r->paths[i], i);
    }
    r->path_count = 2;
    assert_int_equal(str_set(&r->paths[1]->capabilities, CAPABILITIES), ST_OK);
    assert_int_equal(str_set(&r->paths[1]->ehlo_name, "probe.example.net"), ST_OK);
    assert_ptr_equal(record_path(r), r->paths[1]);
    r->session = session;
}

static bool completes(const struct record *r, const char *line, const char *want)
{
    struct typehint_candidates *found = calloc(1, sizeof(*found));
    assert_non_null(found);
    bool is = false;
    typehint_complete(r, 0, line, found);
    for (size_t i = 0; i < found->count; i++) {
        is = is || strcmp(found->text[i], want) == 0;
        for (const char *p = found->text[i]; *p != '\0'; p++) {
            assert_true(*p >= ' ' && *p < 0x7f);
        }
    }
    free(found);
    return is;
}

static size_t completions(const struct record *r, const char *line)
{
    struct typehint_candidates *found = calloc(1, sizeof(*found));
    assert_non_null(found);
    typehint_complete(r, 0, line, found);
    size_t count = found->count;
    free(found);
    return count;
}

static void hint(const struct record *r, unsigned mode, const char *line, int columns, char *out,
                 size_t size)
{
    struct typehint h;
    typehint_hint(r, mode, line, &h);
    typehint_join(&h, columns, out, size);
}

static bool hints(const struct record *r, const char *line, const char *part)
{
    char text[900];
    hint(r, 0, line, 1000, text, sizeof(text));
    return strstr(text, part) != NULL;
}

/* Tab: what is in order first. */
static void verbs_by_state(void **state)
{
    (void)state;
    static const struct {
        enum smtp_state session;
        const char *line, *yes, *no;
    } cases[] = {
        {SMTP_GREETED, "", "EHLO", "MAIL FROM:"},
        {SMTP_READY, "", "MAIL FROM:", "RCPT TO:"},
        {SMTP_READY, "", "STARTTLS", "DATA"},
        {SMTP_READY, "ma", "MAIL FROM:", "EHLO"},
        {SMTP_MAIL, "R", "RCPT TO:", "MAIL FROM:"},
        {SMTP_MAIL, "", "RSET", "DATA"},
        {SMTP_RCPT, "D", "DATA", "RSET"},
        {SMTP_RCPT, "r", "RCPT TO:", "DATA"},
        /* Out of order only when nothing else fits: sending wrong things is the job. */
        {SMTP_READY, "DA", "DATA", "EHLO"},
        {SMTP_READY, "B", "BDAT", "EHLO"},
        {SMTP_CLOSED, "EH", "EHLO", "HELO"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record r;
        make(&r, cases[i].session);
        assert_true(completes(&r, cases[i].line, cases[i].yes));
        assert_false(completes(&r, cases[i].line, cases[i].no));
        record_free(&r);
    }
    struct record r;
    make(&r, SMTP_READY);
    /* Neither what is done already, nor what the server did not offer. */
    assert_true(completes(&r, "", "AUTH"));
    assert_false(completes(&r, "", "ETRN"));
    r.session_tls = r.session_authenticated = true;
    assert_false(completes(&r, "", "STARTTLS"));
    assert_false(completes(&r, "", "AUTH"));
    assert_true(completes(&r, "START", "STARTTLS"));
    assert_int_equal(completions(&r, "FROBNICATE"), 0);
    record_free(&r);
}

static void parameters_that_were_offered(void **state)
{
    (void)state;
    struct record r;
    make(&r, SMTP_READY);
    assert_true(completes(&r, "MAIL FROM:<a@b> ", "MAIL FROM:<a@b> SIZE="));
    assert_true(completes(&r, "mail from:<a@b> body", "mail from:<a@b> BODY=8BITMIME"));
    assert_true(completes(&r, "MAIL FROM:<a@b> SIZE=5 R", "MAIL FROM:<a@b> SIZE=5 RET=HDRS"));
    assert_false(completes(&r, "MAIL FROM:<a@b> ", "MAIL FROM:<a@b> SMTPUTF8"));
    assert_false(completes(&r, "MAIL FROM:<a@b> ", "MAIL FROM:<a@b> BODY=BINARYMIME"));
    assert_true(completes(&r, "RCPT TO:<a@b> N", "RCPT TO:<a@b> NOTIFY=SUCCESS,FAILURE,DELAY"));
    assert_false(completes(&r, "RCPT TO:<a@b> ", "RCPT TO:<a@b> SIZE="));
    assert_true(completes(&r, "AUTH ", "AUTH PLAIN"));
    assert_true(completes(&r, "auth scram", "AUTH SCRAM-SHA-256"));
    /* A mechanism's name that is none is not put into anybody's line. */
    assert_int_equal(completions(&r, "AUTH "), 3);
    assert_true(completes(&r, "EHLO ", "EHLO probe.example.net"));
    assert_true(completes(&r, "HELO pr", "HELO probe.example.net"));
    assert_int_equal(completions(&r, "EHLO x"), 0);
    record_free(&r);
    make(&r, SMTP_READY);
    assert_int_equal(str_set(&r.paths[1]->capabilities, "AUTH=LOGIN"), ST_OK);
    assert_true(completes(&r, "AUTH ", "AUTH LOGIN"));
    record_free(&r);
}

static void addresses_that_were_used(void **state)
{
    (void)state;
    struct record r;
    make(&r, SMTP_READY);
    assert_true(completes(&r, "MAIL FROM:", "MAIL FROM:<"));
    add_line(&r, DIR_CLIENT, "MAIL FROM:<old@example.org> SIZE=9");
    add_line(&r, DIR_CLIENT, "RCPT TO:<user@example.com>");
    add_line(&r, DIR_CLIENT, "RCPT TO:<user@example.com>");
    add_line(&r, DIR_CLIENT, "RCPT TO:<no-domain>");
    add_line(&r, DIR_CLIENT, "RCPT TO:<\x1b[2J@example.com>");
    add_line(&r, DIR_CLIENT, "RCPT TO:<>");
    add_line(&r, DIR_CLIENT, "RCPT TO:<open@example.com");
    add_line(&r, DIR_SERVER, "250 <server@example.com>");
    assert_true(completes(&r, "RCPT TO:<", "RCPT TO:<user@example.com>"));
    assert_true(completes(&r, "RCPT TO:", "RCPT TO:<user@example.com>"));
    assert_true(completes(&r, "RCPT TO:<us", "RCPT TO:<user@example.com>"));
    assert_true(completes(&r, "MAIL FROM:<O", "MAIL FROM:<old@example.org>"));
    assert_int_equal(completions(&r, "RCPT TO:<"), 2);
    assert_int_equal(completions(&r, "RCPT TO:<server"), 0);
    /* A line that would not fit whole is not offered at all. */
    char longer[300];
    memset(longer, 'a', sizeof(longer));
    memcpy(longer, "RCPT TO:<", 9);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(completions(&r, longer), 0);
    record_free(&r);
}

static void hints_name_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        enum smtp_state session;
        const char *line, *part;
    } cases[] = {
        {SMTP_MAIL, "RCPT TO:<user@exam", "'>' is missing at the end."},
        {SMTP_MAIL, "RCPT TO:<user@exam", "RCPT TO:<address> [NOTIFY=...]"},
        {SMTP_MAIL, "RCPT TO: <user@example.org>", "No space belongs behind the colon"},
        {SMTP_MAIL, "RCPT TO:user@example.org", "'<' is missing"},
        {SMTP_MAIL, "RCPT user", "':' is missing"},
        {SMTP_MAIL, "RCPT TO:<user>", "no @"},
        {SMTP_MAIL, "RCPT TO:<>", "empty"},
        {SMTP_MAIL, "RCPT TO:<a@b.example>NOTIFY=NEVER", "A space belongs"},
        {SMTP_READY, "RCPT TO:<a@b.example>", "MAIL FROM comes first"},
        {SMTP_GREETED, "MAIL FROM:<a@b.example>", "EHLO comes first"},
        {SMTP_CONNECTED, "EHLO x", "not greeted yet"},
        {SMTP_CLOSED, "EHLO x", "no connection"},
        {SMTP_CLOSED, "XYZ", "no connection"},
        {SMTP_MAIL, "DATA", "RCPT TO comes next"},
        {SMTP_RCPT, "MAIL FROM:<a@b.example>", "RSET ends it"},
        {SMTP_RCPT, "DATA now", "takes nothing behind it"},
        {SMTP_READY, "EHLO ", "needs something behind it"},
        {SMTP_READY, "ETRN example.org", "did not offer ETRN"},
        {SMTP_READY, "MAIL FROM:<a@b.example> SMTPUTF8", "does not offer SMTPUTF8"},
        {SMTP_READY, "MAIL FROM:<a@b.example> BODY=BINARYMIME", "BINARYMIME needs BINARYMIME and CHUNKING"},
        {SMTP_READY, "AUTH CRAM-MD5 x", "did not offer that mechanism"},
        {SMTP_READY, "AUTH PLAIN x", "not encrypted"},
        {SMTP_READY, "FROBNICATE", "sent as it is"},
        {SMTP_CONTINUATION, "anything", "base64"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record r;
        char text[900];
        make(&r, cases[i].session);
        hint(&r, 0, cases[i].line, 1000, text, sizeof(text));
        if (strstr(text, cases[i].part) == NULL) {
            fail_msg("\"%s\" is answered by \"%s\"", cases[i].line, text);
        }
        record_free(&r);
    }
    struct record r;
    make(&r, SMTP_READY);
    r.session_tls = true;
    assert_true(hints(&r, "STARTTLS", "encrypted already"));
    r.session_authenticated = true;
    assert_true(hints(&r, "AUTH PLAIN", "logged in already"));
    char longer[700];
    memset(longer, 'a', sizeof(longer));
    memcpy(longer, "NOOP ", 5);
    longer[sizeof(longer) - 1] = '\0';
    assert_true(hints(&r, longer, "510"));
    r.running = CHECK_RELAY;
    assert_true(hints(&r, "NOOP", "A step is running"));
    record_free(&r);
}

/* Lines that are right are not found fault with; what they are answered with is told. */
static void hints_keep_quiet(void **state)
{
    (void)state;
    static const struct {
        enum smtp_state session;
        const char *line, *hint;
    } cases[] = {
        {SMTP_GREETED, "EHLO probe", "EHLO host.name   Likely answer: 250"},
        {SMTP_READY, "MAIL FROM:<>",
         "MAIL FROM:<address> [SIZE=n] [BODY=8BITMIME]   Likely answer: 250 | 4xx 5xx"},
        {SMTP_READY, "MAIL FROM:<a@b.example> SIZE=10 BODY=8BITMIME RET=FULL",
         "RET=FULL|HDRS   RFC 3461, section 4.3   Likely answer: 250 | 4xx 5xx"},
        {SMTP_READY, "MAIL FROM:<a@b.example> SIZE=10 BO",
         "MAIL FROM:<address> [SIZE=n] [BODY=8BITMIME]   Likely answer: 250 | 4xx 5xx"},
        {SMTP_MAIL, "RCPT TO:<Postmaster>",
         "RCPT TO:<address> [NOTIFY=...]   Likely answer: 250 | 450 550 554"},
        {SMTP_RCPT, "RCPT TO:<a@b.example> NOTIFY=NEVER",
         "NOTIFY=NEVER|SUCCESS,FAILURE,DELAY   RFC 3461, section 4.1   Likely answer: 250 | 450 "
         "550 554"},
        {SMTP_RCPT, "data", "DATA   Likely answer: 354"},
        {SMTP_READY, "MAI", ""},
        {SMTP_READY, "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record r;
        char text[900];
        make(&r, cases[i].session);
        hint(&r, 0, cases[i].line, 200, text, sizeof(text));
        assert_string_equal(text, cases[i].hint);
        /* Any size of place will do. */
        for (size_t size = 1; size < 60; size++) {
            hint(&r, 0, cases[i].line, 1000, text, size);
            assert_true(strlen(text) < size);
        }
        record_free(&r);
    }
}

/* What would be answered to it goes with what is wrong; what does not fit goes, but not that. */
static void hints_fit(void **state)
{
    (void)state;
    struct record r;
    char text[400];
    make(&r, SMTP_READY);
    hint(&r, 0, "RCPT TO:<a@b.example>", 200, text, sizeof(text));
    assert_string_equal(text, "RCPT TO:<address> [NOTIFY=...]   Out of order: MAIL FROM comes "
                              "first.   Likely answer: 503");
    hint(&r, 0, "RCPT TO:<a@b.example>", 80, text, sizeof(text));
    assert_string_equal(text,
                        "RCPT TO:<address> [NOTIFY=...]   Out of order: MAIL FROM comes first.");
    hint(&r, 0, "RCPT TO:<a@b.example>", 60, text, sizeof(text));
    assert_string_equal(text, "Out of order: MAIL FROM comes first.   Likely answer: 503");
    hint(&r, 0, "RCPT TO:<a@b.example>", 10, text, sizeof(text));
    assert_string_equal(text, "Out of order: MAIL FROM comes first.");
    hint(&r, 0, "NOOP", 10, text, sizeof(text));
    assert_string_equal(text, "NOOP [text]");
    record_free(&r);
}

static void hostile_lines_stay_inside(void **state)
{
    (void)state;
    struct record r;
    char text[200], line[2000];
    make(&r, SMTP_READY);
    memset(line, '<', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    static const char *const begins[] = {"MAIL FROM:", "RCPT TO:<", "AUTH ", "EHLO ", ""};
    for (size_t i = 0; i < ARRAY_LEN(begins); i++) {
        memcpy(line, begins[i], strlen(begins[i]));
        hint(&r, 0, line, 80, text, sizeof(text));
        (void)completions(&r, line);
        line[1500] = '>';
        hint(&r, 0, line, 80, text, sizeof(text));
        (void)completions(&r, line);
        assert_true(strlen(text) < sizeof(text));
    }
    record_free(&r);
}

static void message_text(void **state)
{
    (void)state;
    struct record r;
    char longer[1100];
    make(&r, SMTP_TEXT);
    r.expects_text = true;
    assert_true(hints(&r, "", "dot alone"));
    assert_true(hints(&r, ".", "ends the text"));
    assert_true(hints(&r, ".hidden", "type it twice"));
    assert_false(hints(&r, "..hidden", "type it twice"));
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    assert_true(hints(&r, longer, "998"));
    assert_int_equal(completions(&r, "MA"), 0);
    record_free(&r);
}

static void prompts(void **state)
{
    (void)state;
    struct record r;
    make(&r, SMTP_CLOSED);
    assert_string_equal(typehint_prompt(&r, 0), "(off)>");
    r.session = SMTP_READY;
    assert_string_equal(typehint_prompt(&r, 0), "SMTP>");
    r.session_tls = true;
    assert_string_equal(typehint_prompt(&r, 0), "SMTP~>");
    r.session = SMTP_CONTINUATION;
    assert_string_equal(typehint_prompt(&r, 0), "334>");
    r.session = SMTP_TEXT;
    r.expects_text = true;
    assert_string_equal(typehint_prompt(&r, 0), "DATA>");
    record_free(&r);
}

/* A41: what has to be typed unseen. */
static void secrets(void **state)
{
    (void)state;
    struct record r;
    make(&r, SMTP_READY);
    assert_false(typehint_secret(&r, 0, "AUTH"));
    assert_false(typehint_secret(&r, 0, "AUTH PLAIN"));
    assert_false(typehint_secret(&r, 0, "AUTH PLAIN "));
    assert_true(typehint_secret(&r, 0, "AUTH PLAIN A"));
    assert_true(typehint_secret(&r, 0, "auth  plain A"));
    assert_true(typehint_secret(&r, 0, " AUTH PLAIN A"));
    assert_true(typehint_secret(&r, 0, "AUTH\tPLAIN\tA"));
    /* The mechanism was forgotten. */
    assert_true(typehint_secret(&r, 0, "AUTH AGNhbmFyeQ=="));
    assert_true(typehint_secret(&r, 0, "AUTH hunter2"));
    assert_false(typehint_secret(&r, 0, "AUTH scram-sha-25"));
    assert_false(typehint_secret(&r, 0, "AUTH NTLM"));
    assert_false(typehint_secret(&r, 0, "NOOP PLAIN A"));
    r.session = SMTP_CONTINUATION;
    assert_true(typehint_secret(&r, 0, "x"));
    assert_true(typehint_secret(&r, 0, ""));
    assert_false(typehint_secret(&r, 0, "*"));
    r.session = SMTP_TEXT;
    r.expects_text = true;
    assert_false(typehint_secret(&r, 0, "AUTH PLAIN A"));
    record_free(&r);
}

/* The questions of a login, the macros that answer, and who may be seen typing what. */
static void answers(void **state)
{
    (void)state;
    struct record r;
    struct buf question;
    make(&r, SMTP_CONTINUATION);
    buf_init(&question, 4096);
    assert_false(typehint_challenge(&r, &question));
    add_line(&r, DIR_CLIENT, "AUTH LOGIN");
    add_line(&r, DIR_SERVER, "334 VXNlcm5hbWU6");
    assert_true(typehint_challenge(&r, &question));
    assert_string_equal(buf_str(&question), "Username:");
    assert_true(hints(&r, "", "The server asks: \"Username:\""));
    assert_true(hints(&r, "", ":b64 TEXT"));
    /* A name may be seen where it is asked for, and is meant to be encoded. */
    assert_false(typehint_secret(&r, 0, ":b64 anna"));
    assert_false(typehint_secret(&r, TYPEHINT_ENCODE, "anna"));
    assert_true(typehint_secret(&r, 0, "YW5uYQ=="));
    assert_int_equal(typehint_secret_from(&r, 0, "YW5uYQ=="), 0);
    add_line(&r, DIR_CLIENT, "<hidden 8 bytes>");
    add_line(&r, DIR_SERVER, "334 UGFzc3dvcmQ6");
    assert_true(hints(&r, "", "Password:"));
    assert_int_equal(typehint_secret_from(&r, 0, ":b64 hunter2"), 5);
    assert_int_equal(typehint_secret_from(&r, TYPEHINT_ENCODE, "hunter2"), 0);
    /* Begun macros are seen, passwords that begin with a colon are not. */
    assert_false(typehint_secret(&r, 0, ":b"));
    assert_false(typehint_secret(&r, 0, ":quit"));
    assert_true(typehint_secret(&r, 0, ":nothing x"));
    assert_true(typehint_secret(&r, 0, ":raw hunter2"));
    assert_true(typehint_secret(&r, TYPEHINT_ENCODE, ":quit"));
    assert_false(typehint_secret(&r, TYPEHINT_ENCODE, ":b64"));
    assert_true(typehint_is_macro(&r, 0, ":quit"));
    assert_false(typehint_is_macro(&r, TYPEHINT_ENCODE, ":quit"));
    /* A server that asks for the name twice wants to see a password typed. */
    add_line(&r, DIR_SERVER, "334 VXNlcm5hbWU6");
    assert_true(typehint_secret(&r, TYPEHINT_ENCODE, "hunter2"));
    add_line(&r, DIR_SERVER, "334 *not base64*");
    assert_false(typehint_challenge(&r, &question));
    buf_free(&question);
    record_free(&r);
}

static void raw_mode(void **state)
{
    (void)state;
    struct record r;
    char text[400];
    make(&r, SMTP_READY);
    static const struct {
        const char *line, *hint;
    } cases[] = {
        {"NOOP\\r\\n", "6 bytes in one packet, lines: 1"},
        {"NOOP\\r\\nNOOP\\r\\n", "12 bytes in one packet, lines: 2"},
        {"NOOP\\n", "5 bytes in one packet, lines: 1   A line ends in LF alone."},
        {"NOOP", "4 bytes in one packet, lines: 1   No line end behind the last byte."},
        {"\\x00\\r\\n", "3 bytes in one packet, lines: 1   There is a NUL."},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char macro[80];
        hint(&r, TYPEHINT_RAW, cases[i].line, 200, text, sizeof(text));
        assert_string_equal(text, cases[i].hint);
        (void)snprintf(macro, sizeof(macro), ":raw %s", cases[i].line);
        hint(&r, 0, macro, 200, text, sizeof(text));
        assert_string_equal(text, cases[i].hint);
    }
    hint(&r, TYPEHINT_RAW, "a\\q", 200, text, sizeof(text));
    assert_non_null(strstr(text, "position 2"));
    assert_string_equal(typehint_prompt(&r, TYPEHINT_RAW), "RAW>");
    r.session_tls = true;
    assert_string_equal(typehint_prompt(&r, TYPEHINT_RAW), "RAW~>");
    /* A login anywhere in the bytes is hidden from its response on. */
    assert_int_equal(typehint_secret_from(&r, TYPEHINT_RAW, "AUTH PLAIN AGE"), 11);
    assert_int_equal(typehint_secret_from(&r, TYPEHINT_RAW, "NOOP\\r\\nAUTH PLAIN AGE"), 19);
    assert_int_equal(typehint_secret_from(&r, 0, ":raw NOOP\\r\\nAUTH PLAIN AGE"), 24);
    assert_false(typehint_secret(&r, TYPEHINT_RAW, "NOOP\\r\\nAUTH PLAIN"));
    assert_false(typehint_dangerous(&r, TYPEHINT_RAW, "DATA"));
    assert_int_equal(completions(&r, ":raw N"), 0);
    record_free(&r);
}

static void macros_by_name(void **state)
{
    (void)state;
    struct record r;
    make(&r, SMTP_READY);
    assert_true(completes(&r, ":st", ":starttls"));
    assert_true(completes(&r, ":", ":probe "));
    assert_true(completes(&r, ":ehlo p", ":ehlo probe.example.net"));
    assert_true(completes(&r, ":auth pl", ":auth PLAIN"));
    assert_int_equal(completions(&r, ":replay x"), 0);
    add_line(&r, DIR_CLIENT, "RCPT TO:<user@example.com>");
    assert_true(completes(&r, ":probe a@b.example us", ":probe a@b.example user@example.com"));
    assert_true(hints(&r, ":probe ", "ADDRESS..."));
    assert_true(hints(&r, ":prob x", "Did you mean :probe?"));
    assert_true(hints(&r, ":frobnicate x", "Tab lists"));
    assert_true(typehint_dangerous(&r, 0, ":probe a@b.example"));
    assert_false(typehint_dangerous(&r, 0, ":ehlo"));
    /* With its octets it ends a message; alone it opens the composer, which asks. */
    assert_true(typehint_dangerous(&r, 0, ":bdat Subject: x\\r\\n"));
    assert_false(typehint_dangerous(&r, 0, ":bdat"));
    assert_int_equal(typehint_secret_from(&r, 0, ":auth PLAIN AGE"), 12);
    r.expects_text = true;
    assert_false(typehint_is_macro(&r, 0, ":raw"));
    assert_true(typehint_is_macro(&r, TYPEHINT_RAW, ":raw"));
    assert_int_equal(completions(&r, ":st"), 0);
    record_free(&r);
}

/* Each extension brings its parameters, and those that are in the line are not offered again. */
static void parameters_of_extensions(void **state)
{
    (void)state;
    static const struct {
        const char *offer, *line, *yes;
    } cases[] = {
        {"DSN", "MAIL FROM:<a@b> RET=", "MAIL FROM:<a@b> RET=FULL"},
        {"DSN", "MAIL FROM:<a@b> EN", "MAIL FROM:<a@b> ENVID="},
        {"DSN", "RCPT TO:<a@b> ", "RCPT TO:<a@b> NOTIFY=NEVER"},
        {"DSN", "RCPT TO:<a@b> NOTIFY=NEVER ", "RCPT TO:<a@b> NOTIFY=NEVER ORCPT=rfc822;"},
        {"SMTPUTF8", "MAIL FROM:<a@b> ", "MAIL FROM:<a@b> SMTPUTF8"},
        {"DELIVERBY 240", "MAIL FROM:<a@b> ", "MAIL FROM:<a@b> BY="},
        {"FUTURERELEASE 9 2027-01-01T00:00:00Z", "MAIL FROM:<a@b> H", "MAIL FROM:<a@b> HOLDFOR="},
        {"FUTURERELEASE 9 2027-01-01T00:00:00Z", "MAIL FROM:<a@b> H",
         "MAIL FROM:<a@b> HOLDUNTIL="},
        {"MT-PRIORITY MIXER", "MAIL FROM:<a@b> ", "MAIL FROM:<a@b> MT-PRIORITY="},
        {"AUTH PLAIN", "MAIL FROM:<a@b> ", "MAIL FROM:<a@b> AUTH="},
        {"8BITMIME\nBINARYMIME\nCHUNKING", "MAIL FROM:<a@b> ", "MAIL FROM:<a@b> BODY=BINARYMIME"},
        {"XCLIENT NAME ADDR", "XCLIENT AD", "XCLIENT ADDR="},
        {"XCLIENT NAME ADDR", ":xclient NAME=x ", ":xclient NAME=x ADDR="},
        {"CHUNKING", "BD", "BDAT"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record r;
        make(&r, typehint_starts(cases[i].line, "RCPT") ? SMTP_MAIL : SMTP_READY);
        assert_int_equal(str_set(&r.paths[1]->capabilities, cases[i].offer), ST_OK);
        assert_true(completes(&r, cases[i].line, cases[i].yes));
        assert_int_equal(str_set(&r.paths[1]->capabilities, "PIPELINING"), ST_OK);
        assert_false(cases[i].line[0] != 'B' && completes(&r, cases[i].line, cases[i].yes));
        record_free(&r);
    }
    struct record r;
    make(&r, SMTP_READY);
    assert_false(completes(&r, "MAIL FROM:<a@b> SIZE=5 ", "MAIL FROM:<a@b> SIZE=5 SIZE="));
    /* RFC 8689 4.2: under TLS alone. */
    assert_int_equal(str_set(&r.paths[1]->capabilities, "REQUIRETLS"), ST_OK);
    assert_false(completes(&r, "MAIL FROM:<a@b> ", "MAIL FROM:<a@b> REQUIRETLS"));
    r.session_tls = true;
    assert_true(completes(&r, "MAIL FROM:<a@b> ", "MAIL FROM:<a@b> REQUIRETLS"));
    record_free(&r);
}

static void lmtp(void **state)
{
    (void)state;
    struct record r;
    struct typehint h;
    make(&r, SMTP_GREETED);
    typehint_hint(&r, 0, "LHLO x", &h);
    assert_non_null(strstr(h.remark, "LMTP"));
    typehint_hint(&r, TYPEHINT_LMTP, "LHLO x", &h);
    assert_string_equal(h.remark, "");
    typehint_hint(&r, TYPEHINT_LMTP, "EHLO x", &h);
    assert_non_null(strstr(h.remark, "LHLO"));
    record_free(&r);
}

/* A second Enter for what has consequences, and for nothing else. */
static void dangers(void **state)
{
    (void)state;
    static const char *const yes[] = {"DATA",   "data",   "VRFY x",    "EXPN x",
                                      "BDAT 5", "ETRN x", "AUTH PLAIN"};
    static const char *const no[] = {
        "EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<a@b>", "QUIT", "RSET", "XDATA", "", "STARTTLS"};
    struct record r;
    make(&r, SMTP_READY);
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        assert_true(typehint_dangerous(&r, 0, yes[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        assert_false(typehint_dangerous(&r, 0, no[i]));
    }
    r.session_tls = true;
    assert_false(typehint_dangerous(&r, 0, "AUTH PLAIN"));
    assert_true(typehint_dangerous(&r, 0, "VRFY x"));
    r.expects_text = true;
    assert_false(typehint_dangerous(&r, 0, "DATA"));
    record_free(&r);
}

/* A login in exact bytes may be typed in pieces. */
static void test_secrets_in_pieces(void **state)
{
    (void)state;
    struct record r;
    make(&r, SMTP_READY);
    add_line(&r, DIR_SERVER, "250 ok");
    assert_int_equal(typehint_secret_from(&r, 0, ":raw dGVzdA=="), 13);
    add_flagged(&r, LINE_MANUAL | LINE_RAW, "NOOP\\n");
    add_flagged(&r, LINE_MANUAL | LINE_RAW, "AU");
    add_flagged(&r, LINE_MANUAL | LINE_RAW, "TH PLAIN ");
    assert_int_equal(typehint_secret_from(&r, 0, ":raw dGVzdA=="), 5);
    assert_int_equal(typehint_secret_from(&r, TYPEHINT_RAW, "dGVzdA=="), 0);
    assert_int_equal(typehint_secret_from(&r, 0, "dGVzdA=="), 0);
    assert_false(typehint_secret(&r, 0, ":help"));
    add_flagged(&r, LINE_MANUAL | LINE_REDACTED, "<hidden 3 bytes>");
    assert_int_equal(typehint_secret_from(&r, TYPEHINT_RAW, "dGVzdA=="), 0);
    /* An answer says that the line was whole. */
    add_line(&r, DIR_SERVER, "535 no");
    assert_false(typehint_secret(&r, TYPEHINT_RAW, "NOOP"));
    record_free(&r);
}

/* After a login that failed, the password may come once more, where nobody asks for it. */
static void words_after_a_failed_login(void **state)
{
    (void)state;
    static const char *const shown[] = {"QUIT",  "quit", "EHL", "MAIL FROM:<a@b.example>",
                                        "NOOP x", "*",    ":quit", ""};
    static const char *const hidden[] = {"czNjcmV0", "s3cret!", "QUITE"};
    struct record r;
    assert_int_equal(record_init(&r, 1), ST_OK);
    r.session = SMTP_READY;
    for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
        assert_false(typehint_secret(&r, 0, hidden[i]));
    }
    r.login_open = true;
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        assert_false(typehint_secret(&r, 0, shown[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
        assert_true(typehint_secret(&r, 0, hidden[i]));
    }
    record_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verbs_by_state),
        cmocka_unit_test(parameters_that_were_offered),
        cmocka_unit_test(addresses_that_were_used),
        cmocka_unit_test(hints_name_what_is_wrong),
        cmocka_unit_test(hints_keep_quiet),
        cmocka_unit_test(hints_fit),
        cmocka_unit_test(hostile_lines_stay_inside),
        cmocka_unit_test(message_text),
        cmocka_unit_test(prompts),
        cmocka_unit_test(secrets),
        cmocka_unit_test(answers),
        cmocka_unit_test(raw_mode),
        cmocka_unit_test(macros_by_name),
        cmocka_unit_test(parameters_of_extensions),
        cmocka_unit_test(lmtp),
        cmocka_unit_test(dangers),
        cmocka_unit_test(test_secrets_in_pieces),
        cmocka_unit_test(words_after_a_failed_login),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
