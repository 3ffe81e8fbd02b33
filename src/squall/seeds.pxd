cdef extern from *:
    """
    #define SQUALL_FIRST_FACTOR 0xBF58476D1CE4E5B9ULL
    #define SQUALL_SECOND_FACTOR 0x94D049BB133111EBULL
    #define SQUALL_GOLDEN 0x9E3779B97F4A7C15ULL
    #define SQUALL_SILVER 0xD1B54A32D192ED03ULL
    #define SQUALL_MASK 0xFFFFFFFFFFFFFFFFULL
    """
    const unsigned long long FIRST_FACTOR "SQUALL_FIRST_FACTOR"
    const unsigned long long SECOND_FACTOR "SQUALL_SECOND_FACTOR"
    const unsigned long long GOLDEN "SQUALL_GOLDEN"
    const unsigned long long SILVER "SQUALL_SILVER"
    const unsigned long long MASK "SQUALL_MASK"

cpdef unsigned long long mix64(unsigned long long value) noexcept
cpdef unsigned long long word_draw(unsigned long long seed, unsigned long long about,
                                   unsigned long long index) noexcept
cpdef double unit_draw(unsigned long long seed, unsigned long long about, unsigned long long index) noexcept
