/*
 * A server that asks anything in a login. The first byte chooses the mechanism, lines are
 * challenges. No challenge may bring the password into what is shown, or pass for a proof that the
 * server knows it.
 *
 * Threads: the fuzzer's. Ownership: nothing outlives a call.
 */
#include <stdlib.h>
#include <string.h>

#include "sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Its first letter is no hex digit, so that an escaped byte cannot complete it. */
#define PASSWORD "zanary-7f3a"
/* Hashing is slow on purpose; numbers of more digits are left to the unit test. */
#define ITERATION_DIGITS_MAX 4

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

static void zeros(void *ctx, void *p, size_t len)
{
    (void)ctx;
    memset(p, 0, len);
}

static bool is_slow(const char *p, size_t len)
{
    for (size_t i = 0; i + 2 < len; i++) {
        size_t digits = 0;
        if (p[i] == 'i' && p[i + 1] == '=') {
            while (i + 2 + digits < len && p[i + 2 + digits] >= '0' && p[i + 2 + digits] <= '9') {
                digits++;
            }
        }
        if (digits > ITERATION_DIGITS_MAX && digits < 7) {
            return true;
        }
    }
    return false;
}

static void check_shown(const struct sasl *s)
{
    require(strstr(sasl_shown(s), PASSWORD) == NULL);
}

static void talk(struct sasl *s, enum sasl_mech mech, const char *p, size_t len)
{
    struct buf response;
    struct error error;
    bool secret;
    buf_init(&response, 4 * SASL_CHALLENGE_MAX);
    enum status st = ST_OK;
    if (sasl_has_initial(s)) {
        st = sasl_step(s, NULL, 0, &response, &secret, &error);
        require(st == ST_OK);
        check_shown(s);
    }
    for (int n = 0; n < 2 * SASL_STEPS_MAX && st == ST_OK && len > 0; n++) {
        const char *lf = memchr(p, '\n', len);
        size_t line = lf != NULL ? (size_t)(lf - p) : len;
        st = sasl_step(s, p, line, &response, &secret, &error);
        check_shown(s);
        require(st == ST_OK || st == ST_PROTO);
        if (st == ST_OK && response.len >= strlen(PASSWORD) &&
            memmem(response.p, response.len, PASSWORD, strlen(PASSWORD)) != NULL) {
            require(secret && sasl_mech_sends_password(mech));
        }
        if (st == ST_PROTO) {
            require(error.code == ST_PROTO && strstr(error.text, PASSWORD) == NULL);
        }
        size_t skip = lf != NULL ? line + 1 : line;
        p += skip;
        len -= skip;
    }
    bool scram = mech <= MECH_SCRAM_SHA_1 && mech != MECH_EXTERNAL;
    require((sasl_finish(s, &error) != ST_OK) == scram);
    buf_wipe(&response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_facts tls = {.done = true, .end_point = "0123456789", .end_point_len = 10};
    struct secret password = {.p = NULL};
    struct sasl *s = NULL;
    struct error error;
    const char *p = (const char *)data + 1;
    /* A server that knows the password may put it where it is repeated; the redactor is for that.
     */
    if (size < 1 || is_slow(p, size - 1) ||
        memmem(data, size, PASSWORD, strlen(PASSWORD)) != NULL) {
        return 0;
    }
    enum sasl_mech mech = (enum sasl_mech)(1 + data[0] % (MECH_COUNT - 1));
    require(secret_set(&password, PASSWORD, strlen(PASSWORD)) == ST_OK);
    const struct sasl_params params = {.mech = mech,
                                       .user = "user@example.com",
                                       .password = &password,
                                       .tls = &tls,
                                       .random = zeros};
    require(sasl_start(&params, &s, &error) == ST_OK);
    talk(s, mech, p, size - 1);
    sasl_free(s);
    secret_free(&password);
    return 0;
}
