package io.quern.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PartsTest {
    private static String claim(Parts parts, int part, boolean owner) {
        long range = parts.claim(part, owner);
        return range == Parts.NONE ? "none" : Parts.from(range) + " to " + Parts.to(range);
    }

    @Test
    void ownersClaimFromTheStartAndOthersFromTheEnd() {
        Parts parts = new Parts(20, 2, 1);
        assertEquals("0 to 1", claim(parts, 0, true));
        assertEquals("9 to 10", claim(parts, 0, false));
        assertEquals("1 to 2", claim(parts, 0, true));
        assertEquals("8 to 9", claim(parts, 0, false));
        assertEquals("10 to 11", claim(parts, 1, true));
        assertEquals("19 to 20", claim(parts, 1, false));
    }

    @Test
    void claimsAreAQuarterOfWhatIsLeft() {
        Parts parts = new Parts(40, 2, 128);
        List<String> claims = new ArrayList<>();
        for (String claim = claim(parts, 1, true); !claim.equals("none"); claim = claim(parts, 1, true)) {
            claims.add(claim);
        }
        assertEquals(
                List.of(
                        "20 to 25",
                        "25 to 28",
                        "28 to 31",
                        "31 to 33",
                        "33 to 34",
                        "34 to 35",
                        "35 to 36",
                        "36 to 37",
                        "37 to 38",
                        "38 to 39",
                        "39 to 40"),
                claims);
    }

    @Test
    void claimsAreNoLongerThanAsked() {
        Parts parts = new Parts(1000, 1, 3);
        assertEquals("0 to 3", claim(parts, 0, true));
        assertEquals("997 to 1000", claim(parts, 0, false));
    }

    @Test
    void partsWithoutBlocksAreDone() {
        Parts parts = new Parts(2, 3, 1);
        assertEquals("none", claim(parts, 0, true));
        assertEquals("0 to 1", claim(parts, 1, true));
        assertEquals("none", claim(parts, 1, false));
        assertEquals("1 to 2", claim(parts, 2, false));
    }
}
