/* The guided mode on the screen, 80x24: from the symptom to the last page, and the page as a file. */
#include "ptyscreen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pty_test.h"

static void key(struct pty *p, const char *bytes)
{
    pty_settle(p, 60);
    pty_send(p, bytes);
}

/* Enter until the text is there; a way that goes on too long is a wrong one. */
static void enter_until(struct pty *p, const char *text)
{
    for (int i = 0; i < 30; i++) {
        pty_settle(p, 80);
        if (pty_has(p, text)) {
            return;
        }
        pty_send(p, "\r");
    }
    char *screen = pty_text(p);
    print_error("%s\n", screen);
    free(screen);
    fail_msg("never came to: %s", text);
}

/* Starts in the practice network and chooses a symptom by a word of it. */
static void begin(struct pty *p, const char *scenario, const char *symptom)
{
    char demo[64];
    snprintf(demo, sizeof(demo), "--demo=%s", scenario);
    pty_start(p, 80, 24, ARGS(demo, "--ascii"), NO_ENV);
    assert_true(pty_sees(p, "Done:"));
    key(p, "B");
    assert_true(pty_sees(p, "Guide me: what is wrong?"));
    key(p, symptom);
    key(p, "\r");
    assert_true(pty_sees(p, "step 1 of about"));
}

static void start_screen_leads_to_the_guide(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--ascii"), NO_ENV);
    assert_true(pty_sees(&p, "< Guide me >"));
    /* From the first field backwards to the last button. */
    key(&p, "\033[Z\r");
    assert_true(pty_sees(&p, "I can't receive mail"));
    key(&p, "\r");
    assert_true(pty_sees(&p, "Which domain should receive the mail?"));
    /* Nothing is known, so nothing goes on without an answer, and nothing was sent. */
    key(&p, "\r");
    assert_true(pty_sees(&p, "There is no target"));
    assert_true(pty_has(&p, "0/0"));
    key(&p, "exa mple\r");
    assert_true(pty_sees(&p, "blank"));
    pty_end(&p);
}

static void receive_comes_to_two_ends(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "null-mx", "receive");
    assert_true(pty_has(&p, "1 STEPS  guide 1/"));
    assert_true(pty_has(&p, "2 TRANSCRIPT")); /* both stay in sight */
    enter_until(&p, "The domain refuses all mail");
    assert_true(pty_has(&p, "Proof"));
    pty_end(&p);

    begin(&p, "send-user-unknown", "receive");
    enter_until(&p, "Who has trouble?");
    assert_true(pty_has(&p, ">Nobody gets mail through"));
    key(&p, "\033OB\033OB");
    assert_true(pty_sees(&p, ">Senders see no error"));
    enter_until(&p, "To whom should the test mail go?");
    key(&p, "\025ana@example.org");
    enter_until(&p, "Send one test mail");
    /* The box says No where it opens. */
    key(&p, "\r");
    assert_true(pty_misses(&p, "View exact bytes"));
    assert_true(pty_has(&p, "12 Test mail") || pty_has(&p, "Test mail       ASK"));
    enter_until(&p, "View exact bytes");
    key(&p, "\t\t\r");
    assert_true(pty_sees(&p, "Your server does not take mail for this address."));
    enter_until(&p, "The server does not know this address");
    pty_end(&p);
}

static void login_comes_to_two_ends(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "login-send", "log-in");
    enter_until(&p, "Now you log in");
    key(&p, "w");
    assert_true(pty_sees(&p, "Take care: try at most twice."));
    enter_until(&p, "show the password");
    key(&p, "\033");
    assert_true(pty_misses(&p, "show the password"));
    key(&p, "o");
    assert_true(pty_sees(&p, "it was not tried"));
    pty_end(&p);

    begin(&p, "auth-535", "log-in");
    enter_until(&p, "Now you log in");
    enter_until(&p, "show the password");
    key(&p, "\tautumn2025\r");
    assert_true(pty_sees(&p, "The server has looked, and says no."));
    enter_until(&p, "What do you want to do?");
    key(&p, "\033OB\033OB\r");
    assert_true(pty_sees(&p, "User name or password is wrong"));
    char *screen = pty_text(&p);
    assert_null(strstr(screen, "autumn2025"));
    free(screen);
    pty_end(&p);
}

/* Esc keeps the place, B comes back to it; the line for SMTP works in between. */
static void leaving_keeps_the_place(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "healthy", "receive");
    key(&p, "\r\r\r"); /* the domain, what is known of it, on */
    assert_true(pty_sees(&p, "guide 3/"));
    key(&p, "b");
    assert_true(pty_sees(&p, "guide 2/"));
    key(&p, "\r\r");
    assert_true(pty_sees(&p, "guide 3/"));
    key(&p, "q");
    assert_true(pty_sees(&p, "3 ADVICE"));
    assert_true(pty_sees(&p, "B leads back"));
    key(&p, "i");
    key(&p, "NOOP\r");
    assert_true(pty_sees(&p, "C~ NOOP"));
    key(&p, "\033");
    key(&p, "B");
    assert_true(pty_sees(&p, "guide 3/"));
    /* A new run makes it begin anew. */
    key(&p, "R");
    assert_true(pty_sees(&p, "guide 1/"));
    key(&p, "\033");
    assert_true(pty_sees(&p, "Enter goes into the field"));
    key(&p, "\033");
    assert_true(pty_sees(&p, "3 ADVICE"));
    /* F10 leaves the program from within, as everywhere. */
    key(&p, "B");
    assert_true(pty_sees(&p, "GUIDE"));
    key(&p, "\033[21~");
    assert_true(pty_ends(&p));
    pty_end(&p);
}

static void steps_can_be_done_again(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "healthy", "receive");
    key(&p, "\r");
    assert_true(pty_sees(&p, "This run has done it already"));
    key(&p, "x");
    assert_true(pty_sees(&p, "DNS leads senders to mx1.example.org"));
    /* It was asked once more: the transcript has grown. */
    assert_true(pty_misses(&p, "42/42"));
    assert_true(pty_sees(&p, "FOLLOW"));
    pty_end(&p);
}

/* A lesson that waits for its answer is not given away; the guide comes after it. */
static void a_lesson_comes_first(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--ascii"), NO_ENV);
    assert_true(pty_sees(&p, "Practise"));
    key(&p, "\t\t\t\t\r");
    assert_true(pty_sees(&p, "Practise: choose a lesson"));
    key(&p, "renewed\r");
    assert_true(pty_sees(&p, "< Begin >"));
    key(&p, "\r");
    assert_true(pty_sees(&p, "Done:"));
    key(&p, "B");
    assert_true(pty_sees(&p, "A lesson asks you to find it yourself"));
    assert_false(pty_has(&p, "Guide me: what is wrong?"));
    key(&p, "o");
    assert_true(pty_misses(&p, "cannot start it now"));
    pty_end(&p);
}

/* A whole bounce can be pasted, also one with control characters. */
static void a_pasted_refusal_is_read(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "healthy", "refused");
    key(&p, "\r");
    assert_true(pty_sees(&p, "Paste the line with the error:"));
    key(&p, "\033[200~host mx said:\r\n550 5.1.1 <a@example.org>: User unknown\033[201~");
    key(&p, "\r");
    assert_true(pty_sees(&p, "It is about the address that you wrote to."));
    key(&p, "\r");
    assert_true(pty_sees(&p, "The recipient is refused"));
    assert_true(pty_sees(&p, "550 5.1.1 <a@example.org>: User unknown"));
    pty_end(&p);
}

static void the_page_jumps_and_is_saved(void **state)
{
    (void)state;
    struct pty p;
    char path[300];
    begin(&p, "starttls-454", "check");
    key(&p, "\r"); /* the domain */
    enter_until(&p, "Do you want to go on with the relay test?");
    key(&p, "\r");
    assert_true(pty_sees(&p, "Encryption needs a repair"));
    assert_true(pty_misses(&p, "1 STEPS")); /* it has the whole screen */
    key(&p, "\033OB\033OB\r");
    assert_true(pty_sees(&p, "B leads back to the guide"));
    assert_true(pty_has(&p, "[2 TRANSCRIPT]"));
    assert_true(pty_has(&p, "454 4.7.0 TLS not available"));
    key(&p, "B");
    assert_true(pty_misses(&p, "1 STEPS"));
    key(&p, "e");
    assert_true(pty_sees(&p, "Save this page"));
    assert_true(pty_sees(&p, "ticket.txt"));
    /* The other format changes the ending. */
    key(&p, "\033[Z\033OC");
    assert_true(pty_sees(&p, "(o)ticket (Markdown)"));
    key(&p, "\t\005");
    assert_true(pty_sees(&p, "ticket.md"));
    key(&p, "\025page.ticket.md\r");
    assert_true(pty_sees(&p, "Saved: page.ticket.md"));
    pty_path(&p, "page.ticket.md", path, sizeof(path));
    char *text = file_read(path, NULL);
    assert_non_null(text);
    assert_memory_equal(text, "# Encryption needs a repair\n", 28);
    assert_non_null(strstr(text, "**DEMO.**"));
    assert_non_null(strstr(text, "S: 454 4.7.0 TLS not available due to local problem"));
    assert_non_null(strstr(text, "To whoever runs the mail server"));
    free(text);
    pty_end(&p);
}

/* The worst of a run as a ticket, without the guide. */
static void the_worst_is_saved_without_the_guide(void **state)
{
    (void)state;
    struct pty p;
    char path[300];
    pty_start(&p, 80, 24, ARGS("--demo=expired-cert", "--ascii"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    key(&p, "s");
    assert_true(pty_sees(&p, "ticket (Markdown)"));
    key(&p, "\025worst.ticket.txt\r");
    assert_true(pty_sees(&p, "Saved: worst.ticket.txt"));
    pty_path(&p, "worst.ticket.txt", path, sizeof(path));
    char *text = file_read(path, NULL);
    assert_non_null(strstr(text, "Result         The certificate of mx1.example.org expired"));
    assert_non_null(strstr(text, "DEMO"));
    free(text);
    pty_end(&p);
}

static void advice_jumps_to_its_proof(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--demo=starttls-454", "--ascii"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    key(&p, "3");
    assert_true(pty_sees(&p, "[3 ADVICE: STARTTLS]"));
    key(&p, "\r");
    assert_true(pty_sees(&p, "Proof 1 of 2: line 24."));
    key(&p, "\r");
    assert_true(pty_sees(&p, "Proof 2 of 2: line 25."));
    assert_true(pty_has(&p, "25/"));
    key(&p, "\r");
    assert_true(pty_sees(&p, "Proof 1 of 2"));
    key(&p, "o");
    assert_true(pty_sees(&p, "Esc closes"));
    key(&p, "G");
    assert_true(pty_sees(&p, "Ref: RFC 3207, section 4"));
    key(&p, "\033");
    assert_true(pty_misses(&p, "Esc closes"));
    key(&p, "c");
    assert_true(pty_sees(&p, "openssl s_client -starttls smtp -name desk.office.example"));
    key(&p, "\033");
    key(&p, "1");
    key(&p, "\033OHc");
    assert_true(pty_sees(&p, "The same as a command"));
    pty_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_screen_leads_to_the_guide),
        cmocka_unit_test(receive_comes_to_two_ends),
        cmocka_unit_test(login_comes_to_two_ends),
        cmocka_unit_test(leaving_keeps_the_place),
        cmocka_unit_test(steps_can_be_done_again),
        cmocka_unit_test(a_lesson_comes_first),
        cmocka_unit_test(a_pasted_refusal_is_read),
        cmocka_unit_test(the_page_jumps_and_is_saved),
        cmocka_unit_test(the_worst_is_saved_without_the_guide),
        cmocka_unit_test(advice_jumps_to_its_proof),
    };
    return cmocka_run_group_tests_name("guide", tests, NULL, NULL);
}
