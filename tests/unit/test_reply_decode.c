#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "guarded.h"
#include "reply_decode.h"

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

static struct reply_verdict decode(int code, const char *enhanced, struct span text)
{
    struct reply_question q = {.code = code, .enhanced = enhanced, .text = text};
    return reply_decode(&q);
}

static enum reply_class class_of(int code, const char *enhanced, const char *text)
{
    struct reply_verdict v = decode(code, enhanced, span_of(text));
    return v.cause != NULL ? v.cause->class : CLASS_NONE;
}

static void test_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        const struct sample *s = &samples[i];
        struct guarded g = guarded_copy(s->text, strlen(s->text));
        struct reply_verdict v = decode(s->code, s->enhanced, (struct span){g.p, g.len});
        assert_non_null(v.cause);
        if (v.cause->class != s->class) {
            fail_msg("%d %s %s: %s, not %s", s->code, s->enhanced, s->text, v.cause->id,
                     reply_class_name(s->class));
        }
        guarded_free(&g);
    }
}

static void test_case_and_marks_do_not_matter(void **state)
{
    (void)state;
    assert_int_equal(class_of(554, NULL, "RELAY--ACCESS...denied!"), CLASS_RELAY_DENIED);
    assert_int_equal(class_of(554, NULL, "relay\taccess\r\n\r\ndenied"), CLASS_RELAY_DENIED);
    assert_int_equal(class_of(550, NULL, "Bo\xc3\xaete pleine"), CLASS_MAILBOX_FULL);
    assert_int_equal(class_of(550, NULL, "Bo\xee" "te pleine"), CLASS_MAILBOX_FULL); /* Latin-1 */
    assert_int_equal(class_of(550, NULL, "BOITE PLEINE"), CLASS_MAILBOX_FULL);
}

/* Local parts are chosen by people, and must not decide. */
static void test_addresses_do_not_speak(void **state)
{
    (void)state;
    assert_int_equal(class_of(550, "", "<greylisted-spam-virus@example.com>: User unknown"),
                     CLASS_UNKNOWN_RECIPIENT);
    assert_int_equal(class_of(554, "5.7.1", "<user-unknown@example.org>: Relay access denied"),
                     CLASS_RELAY_DENIED);
    assert_int_equal(class_of(451, "4.3.0", "relaying@greylist.example: try later"),
                     CLASS_SYSTEM_ERROR);
}

static void test_only_refusals_are_explained(void **state)
{
    (void)state;
    static const int codes[] = {200, 220, 250, 354, 399};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        assert_int_equal(class_of(codes[i], "5.1.1", "user unknown"), CLASS_NONE);
    }
    for (int code = 400; code < 600; code++) {
        struct reply_verdict v = decode(code, "", span_of(""));
        assert_non_null(v.cause);
        assert_int_not_equal(v.cause->class, CLASS_NONE);
        assert_int_not_equal(v.confidence, CONFIDENCE_CERTAIN);
        assert_int_equal(v.basis, BASIS_CODE);
    }
    static const int none[] = {0, 99, 600, 999, -1};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        assert_null(decode(none[i], "", span_of("")).cause);
    }
}

static void test_basic_code_counts(void **state)
{
    (void)state;
    struct reply_verdict v = decode(421, "5.7.25", span_of(""));
    assert_int_equal(v.cause->class, CLASS_MISSING_PTR);
    assert_true(v.digits_disagree);
    assert_false(decode(550, "5.7.25", span_of("")).digits_disagree);
    /* What is known of refusals for good says nothing of those for now. */
    assert_string_equal(decode(550, "4.7.27", span_of("")).cause->id, "reply.sender.null_mx");
    assert_string_not_equal(decode(450, "5.7.27", span_of("")).cause->id, "reply.sender.null_mx");
    /* qmail's place for it, and codes that are none. */
    assert_string_equal(decode(553, "", span_of("sorry (#5.7.25)")).cause->id,
                        "reply.class.missing-ptr");
    static const char *const broken[] = {"5", "5.", "5.7", "5.7.", "x", ".7.25", "5.7.x"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        assert_int_equal(decode(550, broken[i], span_of("")).basis, BASIS_CODE);
    }
}

static const char *vendor_of(struct reply_question q)
{
    const struct reply_vendor *v = reply_vendor_of(&q);
    return v != NULL ? v->id : "";
}

static void test_vendors_are_recognised(void **state)
{
    (void)state;
    assert_string_equal(vendor_of((struct reply_question){.text = span_of("no - gsmtp")}),
                        "google");
    assert_string_equal(
        vendor_of((struct reply_question){.banner = span_of("220 mx.example.org ESMTP Postfix")}),
        "postfix");
    assert_string_equal(vendor_of((struct reply_question){.host = "aspmx.l.google.com."}),
                        "google");
    assert_string_equal(vendor_of((struct reply_question){.host = "GOOGLE.COM"}), "google");
    assert_string_equal(vendor_of((struct reply_question){.host = "notgoogle.com"}), "");
    assert_string_equal(vendor_of((struct reply_question){.host = "google.com.example.org"}), "");
    assert_string_equal(
        vendor_of((struct reply_question){.ptr = "mail-ed1-f41.google.com", .host = "mx.example"}),
        "google");
    assert_string_equal(
        vendor_of((struct reply_question){.ehlo = span_of("mx.google.com at your service")}),
        "google");
    /* Whoever wrote the words counts more than whoever passed them on. */
    assert_string_equal(
        vendor_of((struct reply_question){.host = "eu-smtp-1.mimecast.com",
                                          .text = span_of("[x.prod.outlook.com] no")}),
        "microsoft");
    assert_string_equal(vendor_of((struct reply_question){.vendor = reply_vendor_find("exim"),
                                                          .text = span_of("no - gsmtp")}),
                        "exim");
    assert_string_equal(vendor_of((struct reply_question){.host = "", .ptr = ""}), "");
    assert_null(reply_vendor_find("nobody"));
}

static void test_same_code_other_vendor(void **state)
{
    (void)state;
    static const struct {
        const char *vendor, *enhanced, *cause;
    } rows[] = {
        {NULL, "5.7.27", "reply.sender.null_mx"},
        {"google", "5.7.27", "reply.spf.failed"},
        {"google", "5.7.28", "reply.google.rate"},
        {NULL, "5.7.28", "reply.class.rate-limited"},
        {NULL, "5.7.29", "reply.class.sender-authentication"},
        {"google", "5.7.29", "reply.google.tls_missing"},
        {NULL, "5.7.30", "reply.tls.requiretls"},
        {"google", "5.7.30", "reply.dkim.failed"},
        {"microsoft", "5.7.30", "reply.microsoft.basic_auth_off"},
        {NULL, "5.7.24", "reply.spf.error"},
        {"google", "5.7.24", "reply.google.spf_suspicious"},
        {"google", "5.7.32", "reply.google.not_aligned"},
        {"google", "5.7.40", "reply.google.dmarc_missing"},
        {"microsoft", "5.7.513", "reply.microsoft.recipient_blocks"},
        {NULL, "5.7.513", "reply.class.security"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct reply_question q = {.code = 550, .enhanced = rows[i].enhanced};
        q.vendor = rows[i].vendor != NULL ? reply_vendor_find(rows[i].vendor) : NULL;
        struct reply_verdict v = reply_decode(&q);
        assert_string_equal(v.cause->id, rows[i].cause);
        assert_int_equal(v.basis, BASIS_ENHANCED);
        assert_int_equal(v.vendor_spoke, rows[i].vendor != NULL);
        assert_true(v.rule > 0);
        if (rows[i].vendor == NULL) {
            assert_int_not_equal(v.confidence, CONFIDENCE_CERTAIN);
        }
    }
}

static void test_stage_matters(void **state)
{
    (void)state;
    struct reply_question q = {.code = 550, .enhanced = "5.7.1", .text = span_of("Access denied")};
    q.stage = STAGE_MAIL;
    assert_int_equal(reply_decode(&q).cause->class, CLASS_SENDER_REJECTED);
    q.stage = STAGE_RCPT;
    assert_int_equal(reply_decode(&q).cause->class, CLASS_UNKNOWN_RECIPIENT);
    q.stage = STAGE_BANNER;
    assert_int_equal(reply_decode(&q).cause->class, CLASS_BLOCKED_ADDRESS);
    q.stage = STAGE_UNKNOWN;
    assert_int_equal(reply_decode(&q).cause->class, CLASS_POLICY);
    assert_int_equal(reply_stage_find("rcpt"), STAGE_RCPT);
    assert_int_equal(reply_stage_find(""), STAGE_UNKNOWN);
    assert_int_equal(reply_stage_find("RCPT"), STAGE_RCPT);
    assert_int_equal(reply_stage_find("helo"), STAGE_EHLO);
    assert_int_equal(reply_stage_find("later"), STAGE_UNKNOWN);
    assert_string_equal(reply_stage_name((enum reply_stage)99), "");
}

static unsigned next(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

/* Whatever comes, it is no crash, no read past the end, and no certainty. */
static void test_noise_is_never_certain(void **state)
{
    (void)state;
    char noise[5000];
    unsigned seed = 1;
    for (int round = 0; round < 2000; round++) {
        size_t len = next(&seed) % (round % 10 == 0 ? sizeof(noise) : 300);
        bool letters = round % 2 == 0;
        for (size_t i = 0; i < len; i++) {
            unsigned n = next(&seed);
            noise[i] = letters ? "etaoinshrdlu  "[n % 14] : (char)n;
        }
        struct guarded g = guarded_copy(noise, len);
        struct reply_question q = {.code = (int)(next(&seed) % 700),
                                   .stage = (enum reply_stage)(next(&seed) % (STAGE_QUIT + 1)),
                                   .text = {g.p, g.len},
                                   .banner = {g.p, g.len},
                                   .ehlo = {g.p, g.len}};
        struct reply_verdict v = reply_decode(&q);
        if (v.cause != NULL && v.confidence == CONFIDENCE_CERTAIN) {
            fail_msg("round %d is certainly %s (line %u)", round, v.cause->id, v.rule);
        }
        guarded_free(&g);
    }
}

static void test_the_beginning_decides(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'x', sizeof(text));
    memcpy(text + sizeof(text) - 12, "user unknown", 12);
    struct reply_verdict v = decode(554, "", (struct span){text, sizeof(text)});
    assert_int_equal(v.cause->class, CLASS_POLICY);
    memcpy(text, "user unknown", 12);
    v = decode(554, "", (struct span){text, sizeof(text)});
    assert_int_equal(v.cause->class, CLASS_UNKNOWN_RECIPIENT);
}

static void test_classes_and_causes(void **state)
{
    (void)state;
    assert_int_equal(reply_class_who(CLASS_BLOCKED_ADDRESS), WHO_CLIENT);
    assert_int_equal(reply_class_who(CLASS_UNKNOWN_RECIPIENT), WHO_SERVER);
    assert_int_equal(reply_class_who(CLASS_GREYLISTED), WHO_NOBODY);
    assert_int_equal(reply_class_who(CLASS_NONE), WHO_NOBODY);
    assert_true(reply_class_about_client(CLASS_MISSING_PTR));
    assert_false(reply_class_about_client(CLASS_RELAY_DENIED));
    for (int c = CLASS_NONE + 1; c <= CLASS_NETWORK; c++) {
        const struct reply_cause *cause = reply_cause_of_class((enum reply_class)c);
        assert_int_equal(cause->class, c);
        assert_string_equal(cause->id + strlen("reply.class."),
                            reply_class_name((enum reply_class)c));
        assert_ptr_equal(reply_cause_find(cause->id), cause);
    }
    assert_null(reply_cause_of_class(CLASS_NONE));
    assert_null(reply_cause_of_class((enum reply_class)99));
    assert_null(reply_cause_find("reply.nothing"));
}

static void test_findings_do_not_overclaim(void **state)
{
    (void)state;
    struct finding f;
    struct reply_verdict v = decode(550, "", span_of("hm"));
    finding_init(&f, "smtp.banner.refused");
    assert_int_equal(f.confidence, CONFIDENCE_CERTAIN);
    finding_explain(&f, &v, false);
    assert_int_equal(f.confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(f.class, CLASS_UNKNOWN_RECIPIENT);
    finding_explain(&f, &v, true);
    assert_int_equal(f.confidence, CONFIDENCE_GUESS);
    assert_int_equal(f.basis, BASIS_CODE);
    finding_free(&f);

    v = decode(554, "", span_of("no PTR record - gsmtp"));
    finding_init(&f, "smtp.relay.blocked");
    finding_explain(&f, &v, true);
    assert_int_equal(f.confidence, CONFIDENCE_LIKELY); /* the finding's own */
    assert_int_equal(f.who, WHO_NETWORK);
    assert_null(f.vendor); /* the rule was one for all */
    finding_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_case_and_marks_do_not_matter),
        cmocka_unit_test(test_addresses_do_not_speak),
        cmocka_unit_test(test_only_refusals_are_explained),
        cmocka_unit_test(test_basic_code_counts),
        cmocka_unit_test(test_vendors_are_recognised),
        cmocka_unit_test(test_same_code_other_vendor),
        cmocka_unit_test(test_stage_matters),
        cmocka_unit_test(test_noise_is_never_certain),
        cmocka_unit_test(test_the_beginning_decides),
        cmocka_unit_test(test_classes_and_causes),
        cmocka_unit_test(test_findings_do_not_overclaim),
    };
    return cmocka_run_group_tests_name("reply_decode", tests, NULL, NULL);
}
