#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "guarded.h"
#include "reply_class.h"

struct sample {
    int code;
    const char *enhanced, *text;
    enum reply_class class;
};

/* Wordings of common servers, shortened, with names and addresses of our own. */
static const struct sample samples[] = {
    {554, "5.7.1", "<a@example.org>: Relay access denied", CLASS_RELAY_DENIED},
    {454, "4.7.1", "<a@example.org>: Relay access denied", CLASS_RELAY_DENIED},
    {550, "", "relay not permitted", CLASS_RELAY_DENIED},
    {550, "5.7.1", "Relaying denied", CLASS_RELAY_DENIED},
    {550, "5.7.54", "SMTP; Unable to relay recipient in non-accepted domain", CLASS_RELAY_DENIED},
    {553, "", "sorry, that domain isn't in my list of allowed rcpthosts", CLASS_RELAY_DENIED},
    {550, "5.1.1",
     "<x@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
     CLASS_UNKNOWN_RECIPIENT},
    {550, "5.1.1", "The account that you tried to reach does not exist", CLASS_UNKNOWN_RECIPIENT},
    {550, "5.1.10", "RESOLVER.ADR.RecipientNotFound; not found", CLASS_UNKNOWN_RECIPIENT},
    {550, "5.4.1", "Recipient address rejected: Access denied", CLASS_UNKNOWN_RECIPIENT},
    {550, "", "No such user here", CLASS_UNKNOWN_RECIPIENT},
    {450, "4.1.1", "<x@example.com>: Recipient address rejected: unverified address",
     CLASS_UNKNOWN_RECIPIENT},
    {550, "", "", CLASS_UNKNOWN_RECIPIENT},
    {450, "4.2.0", "<x@example.com>: Recipient address rejected: Greylisted, see help",
     CLASS_GREYLISTED},
    {451, "4.7.1", "Please try again in 300 seconds", CLASS_GREYLISTED},
    {451, "", "Greylisting in action, please come back later", CLASS_GREYLISTED},
    {550, "5.7.25", "The sending host does not have a name", CLASS_MISSING_PTR},
    {450, "4.7.25", "Client host rejected: cannot find your hostname, [192.0.2.1]",
     CLASS_MISSING_PTR},
    {450, "4.7.1", "Client host rejected: cannot find your reverse hostname", CLASS_MISSING_PTR},
    {554, "5.7.1", "Service unavailable; Client host [192.0.2.1] blocked using zen.example",
     CLASS_BLOCKED_ADDRESS},
    {550, "5.7.606", "Access denied, banned sending IP [192.0.2.1]", CLASS_BLOCKED_ADDRESS},
    {550, "5.7.1", "Mail from 192.0.2.1 refused, see the block list S3150", CLASS_BLOCKED_ADDRESS},
    {421, "4.7.0", "Our system has detected a very low reputation of the domain",
     CLASS_BAD_REPUTATION},
    {421, "4.7.0", "Error: too many connections from 192.0.2.1", CLASS_RATE_LIMITED},
    {421, "4.7.28", "Gmail has detected unusual mail", CLASS_RATE_LIMITED},
    {452, "4.5.3", "Error: too many recipients", CLASS_RATE_LIMITED},
    {550, "5.7.26", "This mail is unauthenticated", CLASS_SENDER_AUTHENTICATION},
    {550, "5.7.23", "SPF validation failed", CLASS_SENDER_AUTHENTICATION},
    {550, "5.7.1", "rejected by the DMARC policy of example.com", CLASS_SENDER_AUTHENTICATION},
    {530, "5.7.0", "Must issue a STARTTLS command first", CLASS_SECURITY},
    {535, "5.7.8", "Error: authentication failed", CLASS_SECURITY},
    {450, "4.1.8", "<a@nowhere.example>: Sender address rejected: Domain not found",
     CLASS_SENDER_REJECTED},
    {553, "5.7.1", "<a@b.example>: Sender address rejected: not owned by user c",
     CLASS_SENDER_REJECTED},
    {550, "5.7.27", "Sender address has null MX", CLASS_SENDER_REJECTED},
    {556, "5.1.10", "Recipient address has null MX", CLASS_NO_MAIL_ACCEPTED},
    {521, "", "does not accept mail", CLASS_NO_MAIL_ACCEPTED},
    {552, "5.3.4", "Message size exceeds fixed limit", CLASS_TOO_BIG},
    {552, "5.2.2", "Mailbox is full", CLASS_MAILBOX_FULL},
    {452, "4.2.2", "The recipient's inbox is out of storage space", CLASS_MAILBOX_FULL},
    {452, "4.3.1", "Insufficient system storage", CLASS_SYSTEM_FULL},
    {550, "5.2.1", "The account is disabled", CLASS_MAILBOX_DISABLED},
    {551, "", "User not local; please try <b@example.org>", CLASS_RECIPIENT_MOVED},
    {550, "5.1.2", "Host unknown", CLASS_UNKNOWN_HOST},
    {554, "5.4.6", "Too many hops", CLASS_NETWORK},
    {554, "5.7.0", "Reject, id=1 - SPAM", CLASS_SPAM},
    {552, "5.7.0", "This message contains a virus", CLASS_VIRUS},
    {550, "5.6.0", "duplicate header From", CLASS_CONTENT},
    {503, "5.5.1", "Error: need MAIL command", CLASS_PROTOCOL},
    {501, "", "Syntactically invalid EHLO argument(s)", CLASS_PROTOCOL},
    {451, "4.3.0", "Temporary lookup failure", CLASS_SYSTEM_ERROR},
    {421, "", "Service not available, closing transmission channel", CLASS_SYSTEM_ERROR},
    {554, "5.7.1", "Denied by policy", CLASS_POLICY},
};

static void test_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        const struct sample *s = &samples[i];
        struct guarded g = guarded_copy(s->text, strlen(s->text));
        enum reply_class got = reply_classify(s->code, s->enhanced, (struct span){g.p, g.len});
        if (got != s->class) {
            fail_msg("%d %s %s: %s, not %s", s->code, s->enhanced, s->text, reply_class_name(got),
                     reply_class_name(s->class));
        }
        guarded_free(&g);
    }
}

static void test_case_and_marks_do_not_matter(void **state)
{
    (void)state;
    assert_int_equal(reply_classify(554, NULL, span_of("RELAY--ACCESS...denied!")),
                     CLASS_RELAY_DENIED);
    assert_int_equal(reply_classify(554, NULL, span_of("relay\taccess\r\n\r\ndenied")),
                     CLASS_RELAY_DENIED);
}

/* Local parts are chosen by people, and must not decide. */
static void test_addresses_do_not_speak(void **state)
{
    (void)state;
    assert_int_equal(
        reply_classify(550, "", span_of("<greylisted-spam-virus@example.com>: User unknown")),
        CLASS_UNKNOWN_RECIPIENT);
    assert_int_equal(
        reply_classify(554, "5.7.1", span_of("<user-unknown@example.org>: Relay access denied")),
        CLASS_RELAY_DENIED);
    assert_int_equal(reply_classify(451, "4.3.0", span_of("relaying@greylist.example: try later")),
                     CLASS_SYSTEM_ERROR);
}

static void test_only_refusals_have_a_class(void **state)
{
    (void)state;
    static const int codes[] = {0, 99, 200, 220, 250, 354, 399, 600, 999, -1};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        assert_int_equal(reply_classify(codes[i], "5.1.1", span_of("user unknown")), CLASS_NONE);
    }
    for (int code = 400; code < 600; code++) {
        assert_int_not_equal(reply_classify(code, "", span_of("")), CLASS_NONE);
    }
    /* The basic code decides over an enhanced code of another class. */
    assert_int_equal(reply_classify(421, "5.7.25", span_of("")), CLASS_MISSING_PTR);
}

static void test_any_bytes(void **state)
{
    (void)state;
    char noise[5000];
    unsigned seed = 1;
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof(noise); i++) {
            seed = seed * 1103515245u + 12345u;
            noise[i] = (char)(seed >> 16);
        }
        size_t len = (size_t)round * 25;
        struct guarded g = guarded_copy(noise, len);
        (void)reply_classify(550, "", (struct span){g.p, g.len});
        guarded_free(&g);
    }
    /* What stands behind the limit is not looked at, and what fits exactly is. */
    memset(noise, 'x', sizeof(noise));
    memcpy(noise + sizeof(noise) - 12, "user unknown", 12);
    assert_int_equal(reply_classify(554, "", (struct span){noise, sizeof(noise)}), CLASS_POLICY);
}

static void test_who(void **state)
{
    (void)state;
    assert_int_equal(reply_class_who(CLASS_BLOCKED_ADDRESS), WHO_CLIENT);
    assert_int_equal(reply_class_who(CLASS_UNKNOWN_RECIPIENT), WHO_SERVER);
    assert_int_equal(reply_class_who(CLASS_GREYLISTED), WHO_NOBODY);
    assert_true(reply_class_about_client(CLASS_MISSING_PTR));
    assert_false(reply_class_about_client(CLASS_RELAY_DENIED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_case_and_marks_do_not_matter),
        cmocka_unit_test(test_addresses_do_not_speak),
        cmocka_unit_test(test_only_refusals_have_a_class),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_who),
    };
    return cmocka_run_group_tests_name("reply_class", tests, NULL, NULL);
}
