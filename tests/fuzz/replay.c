/* Runs a fuzz target without a fuzzer: some seeds of each protocol, and 20,000 mutations of them by a fixed generator, so
   that a failure comes again each time. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUTATIONS 20000
#define INPUT_MAX 2048

static const char *const seeds[] = {
    "",
    "220 mx.example.org ESMTP\r\n",
    "250-mx.example.org\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
    "550-5.1.1 no\r\n551 5.1.1 such\r\n",
    "334 VXNlcm5hbWU6\r\n",
    "r=abc,s=c2FsdA==,i=4096",
    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\7example\3org\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1",
    ".\r\n..\r\na\nb\rc\r\n.",
    "host mx.example.org[192.0.2.1] said: 550-5.1.1 no 550 5.1.1 (#5.1.1) (in reply to RCPT TO command)",
    "Status: 4.2.2\nRemote-MTA: dns; mx.example.org\nDiagnostic-Code: smtp; 452 over\n quota\n\n>>> DATA\n<<< 554 no",
    "EHLO x\nexpect 250\nraw NO\\x00OP\\r\\n\nBDAT 4\nab\nDATA\ntext\n.\nAUTH PLAIN <hidden 8 bytes>\n",
    "     1   0.001 S: 220 x\n     2 ! 0.002 C~ DATA\n     3   0.003 S~ 354 go\n     4   0.004 c: a\\n\n",
    "{\"transcript\":[{\"n\":1,\"dir\":\"C\",\"text\":\"BDAT 2\"},{\"dir\":\"C\",\"text\":\"\"}]}",
    "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nMAIL FROM:<\"a>\\\"\"@b> SIZE=1 ORCPT=rfc822;a+2Bb BY=1;R\r\n",
    "\x1b]52;c;AAAA\x07\xc2\x9b\xe2\x80\xae\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
};

static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

int main(void)
{
    uint32_t state = 2463534242u;
    size_t count = sizeof(seeds) / sizeof(seeds[0]);
    for (size_t n = 0; n < MUTATIONS; n++) {
        const char *seed = seeds[n % count];
        size_t len = n % count == 7 ? 45 : strlen(seed);
        /* On the heap, exactly as long as it is: a byte read too far is found by the sanitizer. */
        uint8_t bytes[INPUT_MAX];
        memcpy(bytes, seed, len);
        for (uint32_t m = next(&state) % 8; n >= count && m > 0; m--) {
            uint32_t what = next(&state) % 3;
            size_t at = len > 0 ? next(&state) % len : 0;
            if (what == 0 && len > 0) {
                bytes[at] = (uint8_t)next(&state);
            } else if (what == 1 && len + 1 < INPUT_MAX) {
                memmove(bytes + at + 1, bytes + at, len - at);
                bytes[at] = (uint8_t)next(&state);
                len++;
            } else if (len > 0) {
                len = at;
            }
        }
        uint8_t *exact = malloc(len > 0 ? len : 1);
        if (exact == NULL) {
            return 1;
        }
        memcpy(exact, bytes, len);
        LLVMFuzzerTestOneInput(exact, len);
        free(exact);
    }
    printf("%d inputs\n", MUTATIONS);
    return 0;
}
