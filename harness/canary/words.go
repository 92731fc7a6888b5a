package canary

// vocabulary is what values are put together from. The two roles share nothing.
type vocabulary struct {
	given, family  []string
	first, second  []string // of mail names, passwords and device names
	mail           []string // names under .example
	lessons, halls []string
	towns          []town
	lastDigit      string // of telephone numbers
}

// town is the middle of a town, in thousandths of a degree.
type town struct{ lat, lon int }

func vocabularyOf(r role) vocabulary {
	if r == decoy {
		return decoyWords
	}
	return plantedWords
}

// areaCodes are codes in use in the United States. With 555-01xx behind them,
// numbers are kept for fiction by the North American Numbering Plan.
var areaCodes = []string{
	"203", "207", "208", "218", "231", "239", "252", "256", "269", "276", "304", "307", "316", "318", "325",
	"336", "352", "361", "385", "402", "406", "417", "423", "432", "435", "458", "478", "505", "507", "509",
	"518", "530", "541", "559", "563", "573", "575", "585", "605", "608", "618", "620", "641", "662", "681",
	"701", "712", "715", "719", "727", "740", "757", "763", "775", "785", "802", "806", "814", "828", "843",
	"863", "878", "904", "907", "913", "928", "936", "952", "970", "979",
}

var plantedWords = vocabulary{
	given: []string{
		"Ottilie", "Barnabas", "Seraphina", "Leopold", "Isolde", "Cornelius", "Philippa", "Thaddeus", "Marigold",
		"Ignatius", "Rosalind", "Augustin", "Clementina", "Evander", "Henrietta", "Lysander", "Winifred", "Ambrose",
		"Cordelia", "Erasmus", "Guinevere", "Horatio", "Jessamine", "Knud", "Melisande", "Nikodem", "Oriana", "Peregrine",
	},
	family: []string{
		"Brandewin", "Quillfeather", "Hollingsby", "Vandermoor", "Ashgrovian", "Pemberwick", "Thistlewaite", "Corvington",
		"Marrowdale", "Featherby", "Stroudwater", "Lindqvister", "Okonjowell", "Pellegrinov", "Ravensborough", "Saltmarsham",
		"Tamarisko", "Underhallow", "Wexcombe", "Yarrowgate", "Zellerbauer", "Drumlanrigg", "Eskridgeman", "Fennimoor",
	},
	first: []string{
		"copper", "velvet", "harbour", "saffron", "timber", "lantern", "meadow", "cobalt", "russet", "tundra", "pepper",
		"granite", "willow", "orchid", "puffin", "marble", "juniper", "cinder", "bramble", "ginger",
	},
	second: []string{
		"kestrel", "thimble", "gantry", "mosaic", "pelican", "rudder", "sextant", "trellis", "walnut", "yonder", "zeppelin",
		"anchor", "bobbin", "clover", "dulcimer", "easel", "ferret", "goblet", "hazel", "inkwell",
	},
	mail:    []string{"northpost", "briefkiste", "fernmail", "kitepost", "papermail", "stationpost"},
	lessons: []string{"Oboe lesson", "Pottery class", "Fencing practice", "Choir rehearsal", "Archery meeting", "Beekeeping course"},
	halls:   []string{"Larkspur House", "Copperfield Hall", "Mill Lane Annexe", "Saint Brannoc Centre", "Old Tannery", "Wharfside Rooms"},
	towns: []town{
		{40_440, -79_990}, {36_160, -86_780}, {43_050, -76_150}, {44_980, -93_270}, {38_250, -85_760}, {35_080, -106_650},
		{45_520, -122_680}, {39_740, -104_990}, {41_260, -95_940}, {32_080, -81_090}, {47_660, -117_430}, {43_620, -116_200},
	},
	lastDigit: "02468",
}

var decoyWords = vocabulary{
	given: []string{
		"Araminta", "Bartholomew", "Celestine", "Dagobert", "Eulalia", "Florimond", "Griselda", "Hieronymus", "Ingeborg",
		"Jocasta", "Kasimira", "Ludovica", "Mortimer", "Nepomuk", "Octavian", "Petronella", "Quirinus", "Radegund", "Sigismund",
		"Tryphena", "Ulrika", "Valdemar", "Wilhelmina", "Xanthippe", "Yevgenia", "Zacharias",
	},
	family: []string{
		"Abernathock", "Blackadderly", "Cholmondsey", "Dunwichter", "Elphinstoun", "Farquharley", "Goldthorpen", "Hathersedge",
		"Inglewright", "Jarnefeldt", "Kirkbridely", "Longbothamer", "Muggleswade", "Netherclift", "Ormsbyrne", "Postlethway",
		"Quarlesworth", "Rosenkvist", "Silverdaleigh", "Trevelyanse", "Umfrevilley", "Vavasourin", "Wolstenholt",
	},
	first: []string{
		"silken", "pewter", "canyon", "walrus", "turnip", "quartz", "muslin", "barley", "acorn", "birch", "cactus", "dahlia",
		"amber", "falcon", "garnet", "heather", "ivory", "jasper", "linen", "nutmeg",
	},
	second: []string{
		"abacus", "buckle", "candle", "drawer", "engine", "fiddle", "gimlet", "hammock", "icicle", "jigsaw", "kettle", "ladder",
		"mitten", "needle", "oyster", "pulley", "quiver", "ribbon", "saddle", "teapot",
	},
	mail:    []string{"suedbrief", "mossletter", "gullpost", "tinmail", "couriers", "dovecote"},
	lessons: []string{"Harp tutorial", "Weaving workshop", "Judo training", "Drama group", "Rowing trial", "Botany seminar"},
	halls:   []string{"Elderberry Court", "Ironmonger Lodge", "Quayside Pavilion", "Dormouse Theatre", "New Granary", "Upper Schoolhouse"},
	towns: []town{
		{53_480, -2_240}, {51_450, -2_590}, {54_970, -1_610}, {55_860, -4_250}, {52_630, 1_300}, {50_720, -3_530},
		{48_570, 7_750}, {47_220, -1_550}, {51_050, 13_740}, {53_080, 8_800}, {52_090, 5_120}, {46_060, 14_510},
	},
	lastDigit: "13579",
}
