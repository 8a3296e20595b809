//! What the posts of the demo say. A text is an opening about a product or place, a detail and a closing, drawn apart,
//! so that few sentences make many posts.

use crate::demo::dice::Dice;

/// Sentences about one thing. `{}` in an opening stands for one of `about`.
#[derive(Debug)]
pub(super) struct Topic {
    about: &'static [&'static str],
    openings: &'static [&'static str],
    details: &'static [&'static str],
    closings: &'static [&'static str],
}

impl Topic {
    /// A text.
    pub(super) fn text(&self, dice: &mut Dice) -> String {
        let about = dice.pick(self.about);
        let mut text = dice.pick(self.openings).replace("{}", about);
        for sentence in [dice.pick(self.details), dice.pick(self.closings)] {
            text.push(' ');
            text.push_str(sentence);
        }
        text
    }
}

/// What Northwind Outdoor said when it called stoves back, day by day.
pub(super) static RECALL: [&str; 5] = [
    "Please stop using Ember stoves with a serial number that begins with 41. The valve can leak. We are calling them back and will pay every cent.",
    "We are sorry. 1,140 Ember stoves of one batch have a valve that can leak. How to check yours and get your money: northwind.example/recall",
    "Many of you ask: the recall concerns batch 41 alone. Stoves bought before March are safe. Our help page answers until midnight.",
    "Seven in ten recalled stoves are back with us. Thank you for looking, and for telling your friends. We publish the laboratory’s report on Monday.",
    "The report is out. A supplier changed a seal without telling us, and our incoming check did not find it. Here is what we changed.",
];

/// Northwind Outdoor.
pub(super) static NORTHWIND: [Topic; 6] = [
    Topic {
        about: &["Trail Light 24", "Trail Light 38", "Ridge 45", "Commuter 18", "Handlebar Roll", "Frame Bag M"],
        openings: &[
            "Our {} weighs less than your lunch.",
            "Two years, eleven countries, one {}.",
            "What fits into the {}? More than we thought.",
            "The {} is back in moss green.",
            "Packing list for a weekend with the {}:",
            "Why the {} has one zip less than last year.",
            "We sent the {} through a winter of rain so you need not.",
        ],
        details: &[
            "Tent outside, down inside, snacks on top.",
            "The back panel is the one you asked for: open mesh, no foam.",
            "Recycled nylon, and seams that our workshop can open and close again.",
            "Mara carried it from Garmisch to Lake Garda and changed nothing.",
            "Three sizes, because backs are not all the same length.",
            "The hip belt comes off for the train.",
        ],
        closings: &[
            "Try it on in any store.",
            "Which trip would you take it on?",
            "Link to the fitting guide in our profile.",
            "Swipe for the inside.",
            "Questions? Our help page answers until 20:00.",
            "Now in stock again.",
        ],
    },
    Topic {
        about: &["Rain Shell 3", "Summit Down", "Wind Shirt", "Hardshell Bib", "Merino Base 160", "Hut Fleece"],
        openings: &[
            "{}: tested on the wettest week of the year.",
            "How we took 60 grams out of the {}.",
            "Wear the {} wrong and it is only a jacket. A short guide to layers.",
            "“I forgot that I had the {} on.” The nicest review this month.",
            "The {} in the snow tunnel: 14 hours at −18 °C.",
            "New colours for the {}, chosen by you.",
            "Wash your {}. Really. Here is how.",
        ],
        details: &[
            "20,000 mm of water column, no membrane with fluorine.",
            "The hood turns with your head, not against it.",
            "All down is traced to the farm; the code inside the pocket shows which.",
            "It packs into its own pocket, the left one.",
            "The zips are the only part from outside Europe. We are working on it.",
            "Cut for moving arms, so the hem stays where it is.",
        ],
        closings: &[
            "Rain is coming on Thursday. Just saying.",
            "Sizes XS to XXL.",
            "Tell us what you would change.",
            "More in the journal.",
            "Free alterations in our stores until the end of the month.",
            "What do you wear above the tree line?",
        ],
    },
    Topic {
        about: &["Ember stove", "Base Camp pot set", "Steel flask", "Folding table", "Spice tube", "Camp lamp"],
        openings: &[
            "Dinner for four on one {}.",
            "The {} boils a litre in 3:20. We timed it eleven times.",
            "Breakfast at 2,400 m with the {}.",
            "One pot, one flame: lentils with the {}.",
            "The {} comes with every spare part it will ever need.",
            "We asked a mountain guide what she thinks of the {}.",
        ],
        details: &[
            "Onion, red lentils, curry, a tin of tomatoes. Twelve minutes.",
            "It stands on snow, on sand and on the roof of our store.",
            "Stainless steel, because coatings end in the soup.",
            "Gas left over? Weigh the cartridge: the table is printed on the bottom.",
            "Everything stacks into a cylinder of 16 centimetres.",
        ],
        closings: &[
            "Recipe in the comments.",
            "What do you cook outside?",
            "Please never in the tent.",
            "Save this for Saturday.",
            "In the shop from today.",
        ],
    },
    Topic {
        about: &["zips", "tent poles", "down jackets", "boots", "buckles", "rucksacks"],
        openings: &[
            "Repaired this week: 214 {}.",
            "Don’t throw it away. We mend {}, ours and others.",
            "How to mend {} at home, in four pictures.",
            "Our workshop has a new bench for {}.",
            "Jonas has repaired {} for 22 years. Five questions.",
        ],
        details: &[
            "The oldest was from 1987 and is going back to Norway.",
            "You pay for the part, not for the hour.",
            "Most faults take less than ten minutes.",
            "Bring it clean, please. Our tailors thank you.",
            "What cannot be mended becomes patches for what can.",
        ],
        closings: &[
            "Drop in, no appointment needed.",
            "Which piece of yours is the oldest?",
            "Saturday from 10:00 in Berlin, Hamburg and Munich.",
            "Thank you for keeping things.",
        ],
    },
    Topic {
        about: &[
            "the Harz",
            "the Karwendel",
            "the Baltic coast path",
            "the Uckermark",
            "the Dolomites",
            "the Elbe Sandstone hills",
        ],
        openings: &[
            "A weekend in {} without a car.",
            "Three huts in {} that still have beds.",
            "Sunrise in {}, 5:41, alone.",
            "{} after rain: what to look out for.",
            "Our map of the week: {}.",
            "Where do you sleep in {}? A list of legal places.",
        ],
        details: &[
            "Take the first train; the last bus back leaves at 18:10.",
            "19 kilometres, 900 metres up, one very good cake.",
            "Keep left at the second fork. Everybody goes right.",
            "Snow lies in the gullies until May: poles help.",
            "The hut takes cash only, and dogs.",
        ],
        closings: &[
            "Track to download in our journal.",
            "Who is in?",
            "Please stay on the path: the capercaillie is nesting.",
            "Send us your pictures.",
            "Tag the one you owe a walk.",
        ],
    },
    Topic {
        about: &["Berlin", "Hamburg", "Munich", "Leipzig", "our warehouse", "the design team"],
        openings: &[
            "News from {}.",
            "A Saturday in {}, told by those who were there.",
            "We are hiring in {}.",
            "Meet the people of {}.",
            "Thank you, {}: what an evening.",
        ],
        details: &[
            "60 people came to hear about crossing Iceland on foot.",
            "The kettle is on from nine.",
            "Two new colleagues, one of whom brought a dog.",
            "We counted the stock by hand and found a tent from 1994.",
            "Our report on wages along the supply chain is out.",
        ],
        closings: &[
            "Come and say hello.",
            "Apply until the end of the month.",
            "Next date: first Thursday.",
            "Read on in the journal.",
        ],
    },
];

/// Kaffa Coffee.
pub(super) static KAFFA: [Topic; 4] = [
    Topic {
        about: &["Guji natural", "Huila washed", "Kayanza", "House blend", "Decaf Popayán", "Sidama"],
        openings: &[
            "Fresh from the roaster: {}.",
            "{} tastes of apricot today. Tomorrow, who knows.",
            "Last bags of {}.",
            "We roast {} on Tuesdays, so it rests until the weekend.",
            "Cupping notes for {}: peach, honey, black tea.",
        ],
        details: &[
            "Roasted light, because the fruit is the point.",
            "Grown at 2,050 m, carried down on mules, flown never.",
            "We paid $4.10 a pound at the farm gate.",
            "Grind it a little coarser than you think.",
            "200 bags, then it is gone until next year.",
        ],
        closings: &[
            "Order by noon, out the door today.",
            "Free shipping over $40.",
            "Tell us what you taste.",
            "In all three cafés now.",
        ],
    },
    Topic {
        about: &["cold brew", "flash brew", "pour-over", "moka pot", "espresso at home", "filter for ten people"],
        openings: &[
            "How we make {}.",
            "Stop ruining {}. (We did too.)",
            "{} in 40 seconds.",
            "The one trick for {}: colder than you think, longer than you like.",
            "Ask a barista: {}.",
        ],
        details: &[
            "60 grams a liter, sixteen hours, a clean filter.",
            "Water first. If it tastes bad alone it tastes bad here.",
            "Pour in circles and stop when you feel silly.",
            "Your kettle is too hot. Count to twenty.",
        ],
        closings: &[
            "Save it for the morning.",
            "Which one is yours?",
            "Questions below, Emilio answers.",
            "Full recipe on the site.",
        ],
    },
    Topic {
        about: &["Greenpoint", "Fort Greene", "the roastery", "the market stall", "the bar"],
        openings: &[
            "Good morning from {}.",
            "{} is open until 6 pm today.",
            "New pastry at {}: cardamom bun.",
            "The line at {} on Saturday. We love you, we are hiring.",
            "Live music at {} tonight.",
        ],
        details: &[
            "Oat milk is still free, and will stay so.",
            "Bring your cup and save 50 cents.",
            "The big table is for those who stay; the bar is for those who run.",
            "Dogs get water, people get coffee.",
        ],
        closings: &["See you there.", "Who are you bringing?", "Doors at 7.", "Free refills before 8 am."],
    },
    Topic {
        about: &[
            "Almaz",
            "the Ortega family",
            "the Kayanza washing station",
            "Tesfaye",
            "the women’s co-operative of Huila",
        ],
        openings: &[
            "A letter from {}.",
            "What {} thinks of our prices.",
            "Harvest report: {}.",
            "We visited {} again, seven years on.",
        ],
        details: &[
            "The rains came three weeks late, and the cherries are small and sweet.",
            "The new drying beds are paid for. Thank you.",
            "Two daughters study agronomy now.",
            "“Tell them to drink it black first.”",
        ],
        closings: &[
            "Read it whole on the site.",
            "Part four of eight.",
            "With pictures by Vera.",
            "This is where your $4.10 goes.",
        ],
    },
];

/// The operator's own.
pub(super) static HOUSE: [Topic; 3] = [
    Topic {
        about: &["a KPI", "an engagement rate", "a dashboard", "a monthly report", "a missing figure"],
        openings: &[
            "What {} should always say.",
            "Three questions to ask of {}.",
            "We changed our mind about {}.",
            "{} without its basis is a rumour.",
        ],
        details: &[
            "For which days, from how much data, as of when.",
            "A ratio of sums is not a mean of ratios, and the difference decides budgets.",
            "Missing is not zero.",
            "Every figure opens the posts that make it up.",
        ],
        closings: &[
            "The long version is on our blog.",
            "What would you add?",
            "Discuss with your analyst before lunch.",
            "Thread below.",
        ],
    },
    Topic {
        about: &["a night on call", "the first customer", "a slow query", "a row policy", "the release"],
        openings: &["Notes from {}.", "{}: what we learned.", "Behind the scenes: {}.", "A short story about {}."],
        details: &[
            "It took 29 seconds and now takes 7 milliseconds.",
            "Nobody was woken up, which is the point.",
            "The test came first and failed as it should.",
            "We wrote down what we tried, also what did not work.",
        ],
        closings: &[
            "Engineering log, part 12.",
            "We are hiring for this.",
            "Thanks to everybody who reported it.",
            "Slides to follow.",
        ],
    },
    Topic {
        about: &["an agency in Leipzig", "a museum", "a brewery of nine people", "a city library", "a football club"],
        openings: &[
            "How {} plans a week.",
            "{} and the art of the quiet channel.",
            "Visit to {}.",
            "Why {} posts less and reaches more.",
        ],
        details: &[
            "Two people, six accounts, one hour a day.",
            "They halted everything for a day and nobody complained.",
            "Their best post of the year is a picture of a broken pump.",
            "They answer every comment before noon.",
        ],
        closings: &[
            "Interview on our site.",
            "Know somebody we should visit?",
            "Second part on Thursday.",
            "With figures.",
        ],
    },
];
