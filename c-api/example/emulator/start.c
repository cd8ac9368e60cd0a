/* What stands between reset and main on an emulated Cortex-M: vectors, memory, and printf by semihosting. On a board, the
 * vendor's start-up code and linker script take its place. */
#include <stddef.h>
#include <stdint.h>

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end;

int main(void);
void reset(void);
void fault(void);
void _exit(int code) __attribute__((noreturn));
int _write(int file, const char *text, int length);
void *_sbrk(ptrdiff_t bytes);
int _close(int file);
int _fstat(int file, void *status);
int _isatty(int file);
int _lseek(int file, int offset, int whence);
int _read(int file, char *text, int length);
int _getpid(void);
int _kill(int process, int signal);

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &stack_top, (const void *)reset, (const void *)fault, (const void *)fault,
};

/* Asks the emulator for something. */
static int semihosting(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

/* Ends the emulator with an exit code. */
void _exit(int code)
{
    const uint32_t reason[2] = {0x20026, (uint32_t)code}; /* The program has ended. */
    for (;;)
        semihosting(0x20, reason);
}

/* printf comes here. */
int _write(int file, const char *text, int length)
{
    static int console = -1;
    if (console < 0) {
        const struct { const char *name; int mode, length; } open = {":tt", 4, 3}; /* The standard output. */
        console = semihosting(1, &open);
    }
    const struct { int file; const char *text; int length; } write = {console, text, length};
    semihosting(5, &write);
    (void)file;
    return length;
}

/* What else newlib asks for: memory for printf, and files, of which there are none. */
void *_sbrk(ptrdiff_t bytes)
{
    extern char end;
    static char *top = &end;
    char *old = top;
    top += bytes;
    return old;
}

int _close(int file) { (void)file; return -1; }
int _fstat(int file, void *status) { (void)file, (void)status; return -1; }
int _isatty(int file) { (void)file; return 1; }
int _lseek(int file, int offset, int whence) { (void)file, (void)offset, (void)whence; return 0; }
int _read(int file, char *text, int length) { (void)file, (void)text, (void)length; return 0; }
int _getpid(void) { return 1; }
int _kill(int process, int signal) { (void)process, (void)signal; _exit(98); }

void reset(void)
{
#if defined(__ARM_FP)
    *(volatile uint32_t *)0xe000ed88 |= 0xf << 20; /* Turns the floating-point unit on. */
    __asm__ volatile("dsb\n isb");
#endif
    for (uint32_t *to = &data_start, *from = &data_load; to < &data_end;)
        *to++ = *from++;
    for (uint32_t *to = &bss_start; to < &bss_end;)
        *to++ = 0;
    _exit(main());
}

void fault(void)
{
    _exit(99);
}
